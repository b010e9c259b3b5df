import {
  BUILT_IN_MODEL,
  createJobService,
  createModelService,
  datasetDescription,
  describeVersion,
  detectorCardOf,
  type HostedService,
  openRegisteredDataset,
  parseDatasetName,
  parseEvaluationName,
  resolveVersion,
  type ServiceContext,
  submitJob,
  versionName,
} from "@duchenne/control";
import { createSupervisor } from "@duchenne/jobs";
import { type CreateEvaluationRequest, EvaluatorService, Split } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import type { EvaluatorConfig } from "./config.ts";
import { evaluationReportMessage } from "./convert.ts";
import type { EvaluationSpec } from "./evaluation-spec.ts";
import { isHeldOutKnown, selectFrames, sharedActionUnits } from "./select-frames.ts";

const DEFAULT_RESAMPLES = 1000;

/** Makes the evaluator and starts to run its jobs. */
export async function createEvaluator(context: ServiceContext, config: EvaluatorConfig): Promise<HostedService> {
  const { store, logger, dataDirectory, otlpEndpoint } = context;
  const supervisor = createSupervisor({
    store,
    dataDirectory,
    kinds: { evaluation: { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "evaluation" } },
    slots: { evaluation: config.evaluationSlots },
    otlpEndpoint,
    logger,
  });

  const evaluator = serviceHandler(EvaluatorService, {
    async createEvaluation(request) {
      const spec = await checkEvaluation(store, request);
      const displayName = `Evaluation of ${spec.modelVersion} on ${spec.dataset}`;
      return submitJob(store, request, { kind: "evaluation", spec, displayName });
    },

    getReport: async ({ name }) => evaluationReportMessage(await store.evaluations.get(parseEvaluationName(name))),
  });
  return {
    handlers: [evaluator, createJobService(store), createModelService(context)],
    close: (options) => supervisor.close(options),
  };
}

async function checkEvaluation(store: Store, request: CreateEvaluationRequest): Promise<EvaluationSpec> {
  const record = await resolveVersion(store, request.modelVersion, "model_version");
  const card = record.model === BUILT_IN_MODEL ? undefined : detectorCardOf(record);
  const { digest } = datasetDescription(await store.datasets.get(parseDatasetName(request.dataset, "dataset")));
  const heldOut =
    request.split === Split.HELD_OUT || (request.split === Split.UNSPECIFIED && isHeldOutKnown(card, digest));
  const split = heldOut ? "held_out" : "all";
  const dataset = await openRegisteredDataset(store, request.dataset, { check: false });
  const actionUnits = describeVersion(record).actionUnits.map(({ actionUnit }) => actionUnit);
  sharedActionUnits(actionUnits, dataset.actionUnits);
  selectFrames(dataset, split, card);
  return {
    modelVersion: versionName(record.model, record.version),
    dataset: request.dataset,
    split,
    identityLeakage: request.identityLeakage,
    seed: Number(request.seed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
  };
}
