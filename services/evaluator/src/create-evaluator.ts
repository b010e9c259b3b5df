import {
  createJobService,
  createModelService,
  datasetDescription,
  type HostedService,
  InvalidFieldError,
  openRegisteredDataset,
  parseDatasetName,
  parseEvaluationName,
  parseVersionName,
  resolveVersion,
  type ServiceContext,
  submitJob,
  versionName,
} from "@duchenne/control";
import { createSupervisor } from "@duchenne/jobs";
import { type CreateEvaluationRequest, EvaluatorService, Split } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import { checkGate } from "./comparison/check-gate.ts";
import { createComparer } from "./comparison/compare-in-thread.ts";
import { comparisonMessage } from "./comparison/comparison-message.ts";
import { bootstrapOptions, comparablePair } from "./comparison/scored-evaluation.ts";
import type { EvaluatorConfig } from "./config.ts";
import { evaluationReportMessage } from "./convert.ts";
import { evaluableVersion } from "./evaluable-version.ts";
import type { EvaluationSpec } from "./evaluation-spec.ts";
import { DEFAULT_RESAMPLES } from "./resamples.ts";
import { isHeldOutKnown, selectFrames, sharedActionUnits, sharedExpressions } from "./select-frames.ts";

/** Thrown when identity leakage is asked for of a data set that names no subjects. */
class NoSubjectsError extends InvalidFieldError {
  readonly reason = "NO_SUBJECTS";

  constructor(dataset: string) {
    super("identity_leakage", `Expected a data set with subjects to measure identity leakage on, ${dataset} has none`);
  }
}

/** Makes the evaluator and starts to run its jobs. */
export async function createEvaluator(context: ServiceContext, config: EvaluatorConfig): Promise<HostedService> {
  const { store, location, logger, resources, leaseMs, otlpEndpoint } = context;
  const supervisor = createSupervisor({
    store,
    location,
    resources,
    kinds: { evaluation: { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "evaluation" } },
    slots: { evaluation: config.evaluationSlots },
    leaseMs,
    otlpEndpoint,
    logger,
  });

  const compare = createComparer();
  const evaluator = serviceHandler(EvaluatorService, {
    async createEvaluation(request) {
      const spec = await checkEvaluation(store, request);
      const displayName = `Evaluation of ${spec.modelVersion} on ${spec.dataset}`;
      const modelVersions = [parseVersionName(spec.modelVersion)];
      return submitJob(store, request, { kind: "evaluation", spec, displayName, modelVersions });
    },

    getReport: async ({ name, formats }) =>
      evaluationReportMessage(await store.evaluations.get(parseEvaluationName(name)), formats),

    checkGate: (request, { signal }) => checkGate(store, compare, request, signal),

    async compareEvaluations(request, { signal }) {
      const [before, after] = await comparablePair(store, request);
      const options = bootstrapOptions(request);
      return comparisonMessage(
        before,
        after,
        await compare({ before: before.scores, after: after.scores, options }, signal),
      );
    },
  });
  return {
    handlers: [evaluator, createJobService(store), createModelService(context)],
    close: (options) => supervisor.close(options),
  };
}

async function checkEvaluation(store: Store, request: CreateEvaluationRequest): Promise<EvaluationSpec> {
  const record = await resolveVersion(store, request.modelVersion, "model_version");
  const evaluable = evaluableVersion(record);
  const { card } = evaluable;
  const { digest } = datasetDescription(await store.datasets.get(parseDatasetName(request.dataset, "dataset")));
  const heldOut =
    request.split === Split.HELD_OUT || (request.split === Split.UNSPECIFIED && isHeldOutKnown(card, digest));
  const split = heldOut ? "held_out" : "all";
  const dataset = await openRegisteredDataset(store, request.dataset, { check: false });
  const frames = selectFrames(dataset, split, card);
  if (evaluable.answers === "action_units") {
    sharedActionUnits(
      evaluable.actionUnits.map(({ actionUnit }) => actionUnit),
      dataset.actionUnits,
    );
  } else sharedExpressions(evaluable.card.config.expressions, dataset, frames);
  if (request.identityLeakage && dataset.subjects.length === 0) throw new NoSubjectsError(request.dataset);
  return {
    modelVersion: versionName(record.model, record.version),
    dataset: request.dataset,
    split,
    identityLeakage: request.identityLeakage,
    seed: Number(request.seed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
  };
}
