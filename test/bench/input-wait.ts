// node input-wait.ts FOLDER THREADS STEPS: fine-tunes a ViT-S on JPEGs that it draws into the folder, with the product's own
// training, batch 8 and the published augmentation, and says as JSON how long the steps waited for their images.
import { loadTensorFlow } from "@duchenne/tensor";
import { fineTune } from "@duchenne/training";
import { planFineTune } from "@duchenne/training/recipes";
import type { InputWait } from "./bench-report.ts";
import { drawJpegs } from "./drawn-jpegs.ts";

const [folder, threads, steps] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const dataset = await drawJpegs(folder, { subjects: 20, framesPerSubject: 20, imageSize: 224 });
const tf = await loadTensorFlow({ intraOpThreads: threads, interOpThreads: threads });
const plan = planFineTune(
  { encoder: { variant: "small" }, lambda: 1, augmentation: "paper", optimization: { batchSize: 8 } },
  dataset,
);
const stop = new AbortController();
let [waitedMs, countedMs, images, lastMs, lastStep] = [0, 0, 0, 0, 0];
try {
  for await (const event of fineTune({ tf, dataset, plan, signal: stop.signal })) {
    if (event.kind !== "progress") continue;
    const nowMs = performance.now();
    // The first report stands after the step that is recorded; threads that read images start meanwhile.
    if (lastStep > 0) {
      waitedMs += event.inputWaitShare * (nowMs - lastMs);
      countedMs += nowMs - lastMs;
      images += 8 * (event.step - lastStep);
    }
    [lastMs, lastStep] = [nowMs, event.step];
    if (event.step > steps) stop.abort(new Error("measured"));
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
const answer: InputWait = { share: waitedMs / countedMs, steps, imagesPerSecond: (1000 * images) / countedMs };
process.stdout.write(`${JSON.stringify(answer)}\n`);
