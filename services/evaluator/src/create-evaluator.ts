import { create } from "@bufbuild/protobuf";
import {
  createJobService,
  createModelService,
  type HostedService,
  parseCrossValidationName,
  parseEvaluationName,
  parseVersionName,
  resolveVersion,
  type ServiceContext,
  submitJob,
  versionName,
} from "@duchenne/control";
import { checkPrecision } from "@duchenne/control/trainings";
import { createSupervisor } from "@duchenne/jobs";
import { type CreateEvaluationRequest, EvaluatorService, JobOptionsSchema } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import { chosenPart } from "./chosen-part.ts";
import { checkGate } from "./comparison/check-gate.ts";
import { createComparer } from "./comparison/compare-in-thread.ts";
import { comparisonMessage } from "./comparison/comparison-message.ts";
import { bootstrapOptions, comparablePair } from "./comparison/scored-evaluation.ts";
import type { EvaluatorConfig } from "./config.ts";
import { evaluationReportMessage } from "./convert.ts";
import { crossValidationMessage } from "./cross-validation/cross-validation-message.ts";
import { planCrossValidation } from "./cross-validation/plan-cross-validation.ts";
import { evaluableVersion } from "./evaluable-version.ts";
import type { EvaluationSpec } from "./evaluation-spec.ts";
import { NoSubjectsError } from "./no-subjects-error.ts";
import { checkProjection } from "./projection/check-projection.ts";
import { projectionMessage } from "./projection/projection-message.ts";
import { PROJECTION } from "./projection/projection-spec.ts";
import { readProjection } from "./projection/stored-projection.ts";
import { DEFAULT_RESAMPLES } from "./resamples.ts";
import { sharedActionUnits, sharedExpressions } from "./select-frames.ts";

/** Makes the evaluator and starts to run its jobs. */
export async function createEvaluator(context: ServiceContext, config: EvaluatorConfig): Promise<HostedService> {
  const { store, location, logger, resources, leaseMs, stallMs, otlpEndpoint } = context;
  const attempt = { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "evaluation" };
  const { maxAttempts: maxFailures } = config;
  const supervisor = createSupervisor({
    store,
    location,
    resources,
    kinds: {
      evaluation: attempt,
      cross_validation: attempt,
      [PROJECTION]: attempt,
      quantization: { ...attempt, attemptModule: new URL("./quantization/quantization-attempt.ts", import.meta.url) },
    },
    slots: { evaluation: config.evaluationSlots },
    leaseMs,
    stallMs,
    otlpEndpoint,
    logger,
  });

  const compare = createComparer();
  const evaluator = serviceHandler(EvaluatorService, {
    async createEvaluation(request) {
      const spec = await checkEvaluation(store, request);
      const displayName = `Evaluation of ${spec.modelVersion} on ${spec.dataset}`;
      const modelVersions = [parseVersionName(spec.modelVersion)];
      return submitJob(store, request, { kind: "evaluation", spec, displayName, modelVersions, maxFailures });
    },

    async createCrossValidation(request) {
      const { job, training } = await planCrossValidation(store, request, { maxFailures });
      // With a database of its own this is the machine that trains; else the attempts find out on which one they run.
      if (location.database === undefined) checkPrecision(training);
      const { requestId, validateOnly, jobOptions } = request;
      // It takes nothing of a machine but its turn.
      const own = create(JobOptionsSchema, { priority: jobOptions?.priority ?? 0 });
      const asked = { kind: "cross_validation", maxFailures, ...job };
      return submitJob(store, { requestId, validateOnly, jobOptions: own }, asked);
    },

    getCrossValidation: async ({ name, formats }) =>
      crossValidationMessage(await store.crossValidations.get(parseCrossValidationName(name)), formats),

    getReport: async ({ name, formats }) =>
      evaluationReportMessage(await store.evaluations.get(parseEvaluationName(name)), formats),

    async createProjection(request) {
      const spec = await checkProjection(store, request);
      const displayName = `Projection of ${spec.modelVersion} on ${spec.dataset}`;
      const modelVersions = [parseVersionName(spec.modelVersion)];
      return submitJob(store, request, { kind: PROJECTION, spec, displayName, modelVersions, maxFailures });
    },

    getProjection: async ({ name, formats }) => projectionMessage(name, await readProjection(store, name), formats),

    checkGate: (request, { signal }) => checkGate(store, compare, request, signal),

    async compareEvaluations(request, { signal }) {
      const pair = await comparablePair(store, request);
      return comparisonMessage(pair, await compare(pair.task(bootstrapOptions(request)), signal), request.formats);
    },
  });
  return {
    handlers: [evaluator, createJobService(store), createModelService(context)],
    close: (options) => supervisor.close(options),
  };
}

async function checkEvaluation(
  store: Store,
  request: CreateEvaluationRequest,
): Promise<EvaluationSpec & { readonly modelVersion: string }> {
  const record = await resolveVersion(store, request.modelVersion, "model_version");
  const evaluable = evaluableVersion(record);
  const { dataset, split, frames } = await chosenPart(store, request, evaluable.card);
  if (evaluable.answers === "action_units") {
    sharedActionUnits(
      evaluable.actionUnits.map(({ actionUnit }) => actionUnit),
      dataset.actionUnits,
    );
  } else sharedExpressions(evaluable.card.config.expressions, dataset, frames);
  if (request.identityLeakage && dataset.subjects.length === 0) {
    throw new NoSubjectsError("identity_leakage", "measure identity leakage on", request.dataset);
  }
  return {
    modelVersion: versionName(record.model, record.version),
    dataset: request.dataset,
    split,
    identityLeakage: request.identityLeakage,
    seed: Number(request.seed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
  };
}
