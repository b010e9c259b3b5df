// `npm run bench:input`: images per second of the batch loader at 224 px, and of torchvision and timm beside it when
// `--python` names an interpreter that has them. Nothing consumes the batches, so this is the most a training can get.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import {
  AUGMENTATIONS,
  type AugmentationName,
  createBatchLoader,
  createBatchOrder,
  type Dataset,
  type PlannedBatch,
} from "@duchenne/data";
import { drawJpegs } from "./drawn-jpegs.ts";

const IMAGE_SIZE = 224;
const BATCH_SIZE = 32;

const { values } = parseArgs({
  options: { python: { type: "string" }, batches: { type: "string", default: "24" } },
});
const measured = Number(values.batches);
const folder = await mkdtemp(join(tmpdir(), "duchenne-bench-"));
try {
  const dataset = await drawJpegs(join(folder, "faces"), { subjects: 8, framesPerSubject: 16, imageSize: IMAGE_SIZE });
  const { samples } = dataset;
  console.log(`${samples.length} JPEGs of ${IMAGE_SIZE} px, batches of ${BATCH_SIZE}, ${measured} batches measured`);
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}\n`);
  const names = Object.keys(AUGMENTATIONS) as AugmentationName[];
  const reference = values.python === undefined ? undefined : await measureReference(values.python, folder);
  console.log("images/s         workers   decoding   cached frames   torchvision and timm (decoding)");
  for (const name of names) {
    for (const workers of [1, 2]) {
      const decoding = await measure(dataset, name, workers, 0);
      const cached = await measure(dataset, name, workers, 2 ** 30);
      const beside = reference?.[`${name}/${workers}`];
      const columns = [decoding, cached].map((speed) => speed.toFixed(0).padStart(11)).join("     ");
      console.log(`${name.padEnd(17)}${workers}    ${columns}${(beside?.toFixed(0) ?? "-").padStart(16)}`);
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(dataset: Dataset, name: AugmentationName, workers: number, cacheBytes: number): Promise<number> {
  const augmentation = AUGMENTATIONS[name];
  const loader = createBatchLoader(dataset, { imageSize: IMAGE_SIZE, augmentation, seed: 1, workers, cacheBytes });
  const count = dataset.samples.length;
  const order = createBatchOrder({ count, batchSize: BATCH_SIZE, seed: 1, shuffle: true, dropLast: true });
  // Two epochs first: threads start, code is compiled, the cache fills.
  const warmUp = 2 * order.batchesPerEpoch;
  function* plan(): Generator<PlannedBatch> {
    for (let step = 0; step < warmUp + measured; step++) {
      const epoch = Math.floor(step / order.batchesPerEpoch);
      yield { epoch, indices: order.batch(epoch, step % order.batchesPerEpoch) };
    }
  }
  let begin = 0;
  let taken = 0;
  for await (const _ of loader.batches(plan())) if (++taken === warmUp) begin = performance.now();
  const seconds = (performance.now() - begin) / 1000;
  await loader.close();
  return (measured * BATCH_SIZE) / seconds;
}

async function measureReference(python: string, images: string): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL("input_reference.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, images, String(BATCH_SIZE), String(measured)]);
  return JSON.parse(stdout) as Record<string, number>;
}
