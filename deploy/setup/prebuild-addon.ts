// `npm run prebuild-addon`: compiles the TensorFlow addon and puts it where a machine without a compiler finds it.
import { buildFor, placesFor, provisionTensorFlow, storePrebuilt } from "@duchenne/tensor/provision";
import { accelerator } from "./accelerator.ts";

await provisionTensorFlow({ accelerator, onProgress: (message) => void process.stderr.write(`  ${message}\n`) });
process.stdout.write(`${await storePrebuilt(placesFor(buildFor(accelerator)))}\n`);
