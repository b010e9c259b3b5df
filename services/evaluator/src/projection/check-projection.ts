import { datasetRead, resolveVersion, versionName } from "@duchenne/control";
import { perplexityFor } from "@duchenne/evaluation";
import type { CreateProjectionRequest } from "@duchenne/proto";
import type { NewJob, Store } from "@duchenne/store";
import { chosenPart } from "../chosen-part.ts";
import { NoSubjectsError } from "../no-subjects-error.ts";
import { drawFrames } from "./draw-frames.ts";
import { projectableCard } from "./projectable-version.ts";
import type { ProjectionSpec } from "./projection-spec.ts";

const DEFAULT_FRAMES = 2000;
const DEFAULT_NEIGHBOURS = 10;

/**
 * What a projection is made from, with everything that a request leaves open, and what it reads.
 *
 * @throws {NotFoundError} @throws {NotProjectableError} @throws {NoSubjectsError} @throws {NoHeldOutPartError}
 * @throws {PerplexityTooLargeError}
 */
export async function checkProjection(
  store: Store,
  request: CreateProjectionRequest,
): Promise<Required<Pick<NewJob, "datasets">> & { readonly spec: ProjectionSpec }> {
  const record = await resolveVersion(store, request.modelVersion, "model_version");
  const { dataset, split, frames } = await chosenPart(store, request, projectableCard(record));
  if (dataset.subjects.length === 0) throw new NoSubjectsError("dataset", "project", request.dataset);
  const draw = {
    maxFrames: request.maxFrames || DEFAULT_FRAMES,
    ...(request.maxSubjects > 0 && { maxSubjects: request.maxSubjects }),
    seed: Number(request.seed ?? 0n),
  };
  const drawn = drawFrames(dataset, frames, draw);
  const spec = {
    modelVersion: versionName(record.model, record.version),
    dataset: request.dataset,
    split,
    ...draw,
    perplexity: perplexityFor(request.perplexity, drawn.length),
    neighbours: request.neighbours || DEFAULT_NEIGHBOURS,
  };
  return { spec, datasets: [datasetRead(request.dataset, dataset)] };
}
