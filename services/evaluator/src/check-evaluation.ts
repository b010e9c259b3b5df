import {
  datasetDescription,
  datasetRead,
  describeVersion,
  openRegisteredLabels,
  parseDatasetName,
  parseJobName,
  parseVersionName,
  quantizationSpecSchema,
  resolveVersion,
  versionName,
} from "@duchenne/control";
import type { Dataset } from "@duchenne/data";
import { type CreateEvaluationRequest, Split } from "@duchenne/proto";
import {
  DependencyFailedError,
  type JobRecord,
  type ModelVersionRecord,
  type NewJob,
  type Store,
} from "@duchenne/store";
import { z } from "zod";
import { chosenPart } from "./chosen-part.ts";
import { evaluableVersion, NotEvaluableJobError } from "./evaluable-version.ts";
import { trainedVersionOf } from "./evaluated-version.ts";
import type { EvaluationSpec } from "./evaluation-spec.ts";
import { NoSubjectsError } from "./no-subjects-error.ts";
import { DEFAULT_RESAMPLES } from "./resamples.ts";
import { NoHeldOutPartError, sharedActionUnits, sharedExpressions } from "./select-frames.ts";

/** Kinds of jobs that make a detector or a classifier. */
const EVALUABLE_KINDS = new Set(["fine_tune", "fine_tune_expression", "distil", "quantization"]);

/** What a training says of the version that it makes. */
const trainingSpecSchema = z.object({ dataset: z.string(), teacherModelVersion: z.string().optional() });

/** A checked evaluation. */
type CheckedEvaluation = Pick<NewJob, "displayName" | "after" | "modelVersions" | "datasets"> & {
  readonly spec: EvaluationSpec;
};

/** What it is evaluated on. */
interface CheckedPart {
  readonly dataset: Dataset;
  readonly split: EvaluationSpec["split"];
}

/**
 * Checks an evaluation against its data set and its version; of a version that is still to be made, against what is known of
 * it.
 *
 * @throws {NotFoundError} @throws {NotEvaluableError} @throws {NotEvaluableJobError} @throws {DependencyFailedError}
 * @throws {NoHeldOutPartError} @throws {ActionUnitMismatchError} @throws {ExpressionMismatchError}
 * @throws {NoLabelledFrameError} @throws {NoSubjectsError}
 */
export async function checkEvaluation(store: Store, request: CreateEvaluationRequest): Promise<CheckedEvaluation> {
  const { trainingJob, dataset } = request;
  const shared = {
    dataset,
    identityLeakage: request.identityLeakage,
    seed: Number(request.seed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
  };
  if (trainingJob === "") {
    const record = await resolveVersion(store, request.modelVersion, "model_version");
    const { split, dataset: read } = await checkVersion(store, request, record, "model_version");
    const modelVersion = versionName(record.model, record.version);
    return {
      spec: { modelVersion, split, ...shared },
      displayName: `Evaluation of ${modelVersion} on ${dataset}`,
      modelVersions: [parseVersionName(modelVersion)],
      datasets: [datasetRead(dataset, read)],
    };
  }
  const job = await store.jobs.get(parseJobName(trainingJob, "training_job"));
  const made = await madeVersion(store, job);
  const { split, dataset: read } =
    made === undefined
      ? await checkAwaited(store, request, job)
      : await checkVersion(store, request, made, "training_job");
  return {
    spec: { training: trainingJob, split, ...shared },
    displayName: `Evaluation of ${trainingJob} on ${dataset}`,
    after: [job.id],
    datasets: [datasetRead(dataset, read)],
    ...(made !== undefined && { modelVersions: [{ model: made.model, version: made.version }] }),
  };
}

/**
 * The version that a job has made, if it has succeeded.
 *
 * @throws {NotFoundError} when that was deleted @throws {NotEvaluableJobError} when it makes another or none
 * @throws {DependencyFailedError} when it has ended without success
 */
async function madeVersion(store: Store, job: JobRecord): Promise<ModelVersionRecord | undefined> {
  const { id, kind, state } = job;
  if (!EVALUABLE_KINDS.has(kind)) throw new NotEvaluableJobError(id, kind, [...EVALUABLE_KINDS]);
  if (state === "FAILED" || state === "CANCELLED") throw new DependencyFailedError(id, state);
  if (state !== "SUCCEEDED") return undefined;
  const { model, version } = parseVersionName(trainedVersionOf(job));
  return store.models.getVersion(model, version);
}

/** Checks an evaluation of a version; answers the part of the data set that it is on. */
async function checkVersion(
  store: Store,
  request: CreateEvaluationRequest,
  record: ModelVersionRecord,
  field: string,
): Promise<CheckedPart> {
  const evaluable = evaluableVersion(record, field);
  const { dataset, split, frames } = await chosenPart(store, request, evaluable.card);
  if (evaluable.answers === "action_units") {
    sharedActionUnits(
      evaluable.actionUnits.map(({ actionUnit }) => actionUnit),
      dataset.actionUnits,
    );
  } else sharedExpressions(evaluable.card.config.expressions, dataset, frames);
  requireSubjects(request, dataset);
  return { dataset, split };
}

/** Checks an evaluation of what a job will make, as far as that is settled; answers the part of the data set that it is on. */
async function checkAwaited(store: Store, request: CreateEvaluationRequest, job: JobRecord): Promise<CheckedPart> {
  if (job.kind === "quantization") {
    // Its version answers what its source does, and held out what that did.
    const { modelVersion } = quantizationSpecSchema.parse(job.spec);
    return checkVersion(store, request, await resolveVersion(store, modelVersion, "training_job"), "training_job");
  }
  const { dataset: trainedOn, teacherModelVersion } = trainingSpecSchema.parse(job.spec);
  const digestOf = async (name: string) =>
    datasetDescription(await store.datasets.get(parseDatasetName(name, "dataset"))).digest;
  const isSame = (await digestOf(request.dataset)) === (await digestOf(trainedOn));
  // Every training of a detector or classifier holds a part out.
  if (request.split === Split.HELD_OUT && !isSame) throw new NoHeldOutPartError();
  const dataset = await openRegisteredLabels(store, request.dataset);
  const training = isSame ? dataset : await openRegisteredLabels(store, trainedOn);
  if (job.kind === "fine_tune_expression") {
    const all = Uint32Array.from(dataset.samples.keys());
    sharedExpressions(training.expressions ?? [], dataset, all);
  } else if (teacherModelVersion !== undefined) {
    // A student answers what its teacher does.
    const teacher = describeVersion(await resolveVersion(store, teacherModelVersion, "training_job"));
    sharedActionUnits(
      teacher.actionUnits.map(({ actionUnit }) => actionUnit),
      dataset.actionUnits,
    );
  } else sharedActionUnits(training.actionUnits, dataset.actionUnits);
  requireSubjects(request, dataset);
  return { dataset, split: isSame && request.split !== Split.ALL ? "held_out" : "all" };
}

function requireSubjects({ identityLeakage, dataset: name }: CreateEvaluationRequest, { subjects }: Dataset): void {
  if (identityLeakage && subjects.length === 0) {
    throw new NoSubjectsError("identity_leakage", "measure identity leakage on", name);
  }
}
