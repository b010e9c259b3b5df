// `npm run demo`: the main job, from real photographs to a trained, evaluated and promoted model.
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describeError, styleFor } from "@duchenne/cli";
import { createDuchenneClient } from "@duchenne/client";
import { provisionTensorFlow } from "@duchenne/tensor/provision";
import { provisionFaceModels } from "@duchenne/vision/provision";
import { step } from "../setup/step.mjs";
import { startDemoServer } from "./demo-server.ts";
import { detectOnPhotographs } from "./detect-on-photographs.ts";
import { trainAndCompare } from "./train-and-compare.ts";

const root = join(fileURLToPath(import.meta.url), "..", "..", "..");
const folder = join(root, "demo-output");
const keep = process.argv.includes("--keep");
const style = styleFor(process.stdout);
const say = (text = ""): void => void process.stdout.write(`${text}\n`);
const startMs = performance.now();

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
try {
  await step("Face models", () => provisionFaceModels());
} catch (error) {
  process.stderr.write(`✗ ${describeError(error)}\n`);
  process.exit(1);
}
// Beside the photographs: they need no TensorFlow, and it takes a while to come.
const provisioning = new AbortController();
const tensorFlow = provisionTensorFlow({ signal: provisioning.signal }).then(
  () => undefined,
  (error: unknown) => error,
);

const server = await startDemoServer(join(folder, "data"));
const client = createDuchenneClient({ address: server.address });
try {
  say(style.bold("\n1. Real photographs, streamed through StreamDetect\n"));
  const picture = await detectOnPhotographs(client, join(folder, "faces"), say, style);
  say(`\n   ${seconds()} s since the start; no TensorFlow so far.`);

  say(style.bold("\n2. Identity adversarial training on synthetic faces\n"));
  const problem = await step("Waiting for TensorFlow", () => tensorFlow);
  if (problem === undefined) await trainAndCompare(client, say, style);
  else say(`   No training: ${describeError(problem)}`);

  const here = (path: string) => relative(process.cwd(), path);
  say(style.bold(`\nDone in ${seconds()} s. Open ${here(picture)}`));
  say("\nTry next:");
  const address = keep ? ` --server ${server.address}` : "";
  if (!keep) say("  npm run duchenne -- serve");
  say(`  npm run duchenne -- detect YOUR-PHOTO.jpg --annotate pictures${address}`);
  say(`  npm run duchenne -- datasets synthesize faces --subjects 24${address}`);
  if (keep) {
    say(`  npm run duchenne -- jobs list${address}`);
    say(`\nThe server stays at ${server.address} (Connect and JSON at ${server.connectUrl}); Ctrl+C ends it.`);
    await server.untilStopped();
  }
} catch (error) {
  process.stderr.write(`\n✗ ${describeError(error)}\n${server.log()}`);
  process.exitCode = 1;
} finally {
  client.close();
  provisioning.abort();
  await server.stop();
}

function seconds(): string {
  return ((performance.now() - startMs) / 1000).toFixed(0);
}
