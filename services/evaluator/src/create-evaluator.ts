import { create } from "@bufbuild/protobuf";
import {
  createJobService,
  createModelService,
  DEFAULT_PAGE_SIZE,
  type HostedService,
  parseCrossValidationName,
  parseEvaluationName,
  parseVersionName,
  type ServiceContext,
  submitJob,
} from "@duchenne/control";
import { checkPrecision } from "@duchenne/control/trainings";
import { createSupervisor } from "@duchenne/jobs";
import { EvaluatorService, JobOptionsSchema } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import { checkEvaluation } from "./check-evaluation.ts";
import { checkGate } from "./comparison/check-gate.ts";
import { createComparer } from "./comparison/compare-in-thread.ts";
import { comparisonMessage } from "./comparison/comparison-message.ts";
import { bootstrapOptions, comparablePair } from "./comparison/scored-evaluation.ts";
import type { EvaluatorConfig } from "./config.ts";
import { evaluationReportMessage, evaluationSummaryMessage } from "./convert.ts";
import { crossValidationMessage } from "./cross-validation/cross-validation-message.ts";
import { planCrossValidation } from "./cross-validation/plan-cross-validation.ts";
import { checkProjection } from "./projection/check-projection.ts";
import { projectionMessage } from "./projection/projection-message.ts";
import { PROJECTION } from "./projection/projection-spec.ts";
import { readProjection } from "./projection/stored-projection.ts";

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
    createEvaluation: (request) =>
      submitJob(store, EvaluatorService.method.createEvaluation, request, async () => ({
        kind: "evaluation",
        ...(await checkEvaluation(store, request)),
        maxFailures,
      })),

    async createCrossValidation(request) {
      // It takes nothing of a machine but its turn; the options are those of its trainings.
      const own = create(JobOptionsSchema, { priority: request.jobOptions?.priority ?? 0 });
      const plan = async () => {
        const { job, training } = await planCrossValidation(store, request, { maxFailures });
        // With a database of its own this is the machine that trains; else the attempts find out on which one they run.
        if (location.database === undefined) checkPrecision(training);
        return { kind: "cross_validation", maxFailures, ...job };
      };
      return submitJob(store, EvaluatorService.method.createCrossValidation, request, plan, own);
    },

    getCrossValidation: async ({ name, formats }) =>
      crossValidationMessage(await store.crossValidations.get(parseCrossValidationName(name)), formats),

    getReport: async ({ name, formats }) =>
      evaluationReportMessage(await store.evaluations.get(parseEvaluationName(name)), formats),

    async listEvaluations({ pageSize, pageToken, model, dataset }) {
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const filter = { model: model || undefined, dataset: dataset || undefined };
      const { evaluations, nextPageToken } = await store.evaluations.list({ ...page, ...filter });
      return { evaluations: evaluations.map(evaluationSummaryMessage), nextPageToken };
    },

    async deleteEvaluation({ name }) {
      await store.evaluations.delete(parseEvaluationName(name));
      return {};
    },

    createProjection: (request) =>
      submitJob(store, EvaluatorService.method.createProjection, request, async () => {
        const { spec, datasets } = await checkProjection(store, request);
        const displayName = `Projection of ${spec.modelVersion} on ${spec.dataset}`;
        const modelVersions = [parseVersionName(spec.modelVersion)];
        return { kind: PROJECTION, spec, displayName, modelVersions, datasets, maxFailures };
      }),

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
