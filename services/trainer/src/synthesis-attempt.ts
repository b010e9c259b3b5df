// The process of one synthesis attempt. It needs no TensorFlow.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { datasetName, describeDataset, keepDataset, parseDatasetName } from "@duchenne/control";
import { openDataset, synthesizeDataset } from "@duchenne/data";
import { runAttempt } from "@duchenne/jobs";
import { storing } from "@duchenne/store";
import { drawingFolder, drawnFolder } from "./drawn-folders.ts";
import { synthesizeSpecSchema } from "./job-specs.ts";

/** Share of images between two reports of progress. */
const REPORT_SHARE = 0.02;

await runAttempt({
  async synthesize_dataset(job, { store, dataDirectory, signal, emit }) {
    const { dataset: name, synthesis } = synthesizeSpecSchema.parse(job.spec);
    const id = parseDatasetName(name);
    // Named by the job: a second one with the same id draws elsewhere and is refused below.
    const directory = drawnFolder(dataDirectory, id, job);
    await mkdir(dirname(directory), { recursive: true });
    const startMs = performance.now();
    let reported = 0;
    // An attempt before this one may have drawn all and ended before it was registered.
    if (!existsSync(directory)) {
      await storing("the data set", () =>
        synthesizeDataset(directory, synthesis, {
          signal,
          temporary: drawingFolder(dataDirectory, id, job),
          onProgress(done, total) {
            if (done < total && done - reported < REPORT_SHARE * total) return;
            reported = done;
            const seconds = (performance.now() - startMs) / 1000;
            emit({
              kind: "progress",
              phase: "drawing",
              fraction: done / total,
              step: done,
              totalSteps: total,
              epoch: 0,
              imagesPerSecond: done / seconds,
              etaMs: (1000 * seconds * (total - done)) / done,
            });
          },
        }),
      );
    }
    const description = describeDataset(await openDataset(directory));
    const { source, digest } = description;
    const files = await keepDataset(store, { id, directory, source, digest });
    await store.datasets.register({ id, directory, description, digest, managed: true, files, job });
    emit({ kind: "artifact", name: datasetName(id), artifactKind: "dataset" });
    return { dataset: datasetName(id) };
  },
});
