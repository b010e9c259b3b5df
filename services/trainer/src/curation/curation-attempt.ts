// The process of one curation attempt. It needs no TensorFlow.
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { curationSpecSchema, parseDatasetName } from "@duchenne/control";
import {
  CURATION_LOG,
  type CurationCounts,
  type CurationOptions,
  curateFolder,
  describeExclusions,
  NoImagesLeftError,
  readCurationCounts,
} from "@duchenne/data";
import { runAttempt } from "@duchenne/jobs";
import { storing } from "@duchenne/store";
import { drawnFolder } from "../drawn-folders.ts";
import { registerMade } from "../register-made.ts";
import { createVideoReader } from "./read-video.ts";
import { reportProgress } from "./report-progress.ts";
import { takeOverFolder } from "./take-over-folder.ts";

await runAttempt({
  async curate_dataset(job, tools) {
    const { dataDirectory, signal, emit } = tools;
    const spec = curationSpecSchema.parse(job.spec);
    const id = parseDatasetName(spec.dataset);
    const made = drawnFolder(dataDirectory, id, job);
    // An attempt before this one may have made all of it and ended before it was registered.
    const counts = existsSync(made)
      ? await readCurationCounts(made)
      : await storing("the data set", async () => {
          const folder = await takeOverFolder(dataDirectory, id, job);
          const control = { readVideo: createVideoReader(), signal, onProgress: reportProgress(emit) };
          const counted = await curateFolder(spec.directory, folder, spec.curation, control).catch(async (error) => {
            // Whoever tries again has changed the sources: what was judged is judged anew.
            if (error instanceof NoImagesLeftError) await rm(folder, { recursive: true, force: true });
            throw error;
          });
          await rename(folder, made);
          return counted;
        });
    const { sources, kept } = counts;
    const leftOut = describeExclusions(counts);
    const text = `Kept ${kept} images of ${sources} files; left out: ${leftOut || "none"}`;
    emit({ kind: "log", level: "info", text });
    const name = await registerMade(tools, job, {
      id,
      directory: made,
      source: { format: "images", labelFiles: [] },
      description: spec.description || descriptionOf(spec.directory, spec.curation, counts),
      license: spec.license || undefined,
    });
    return { dataset: name, ...counts, report: join(made, CURATION_LOG) };
  },
});

function descriptionOf(
  directory: string,
  { minSide, maxAspectRatio, size }: CurationOptions,
  { sources, kept }: CurationCounts,
): string {
  const rules = `sides of at least ${minSide} pixels in a ratio of at most ${maxAspectRatio}`;
  return `${kept} images of ${size}x${size} pixels, curated from ${sources} files below ${directory}: ${rules}.`;
}
