import { join, resolve } from "node:path";
import {
  BUILT_IN_MODEL,
  BuiltInModelError,
  createDatasetService,
  createJobService,
  createModelService,
  detectorCardOf,
  type HostedService,
  openRegisteredDataset,
  parseModelName,
  parseVersionName,
  type ServiceContext,
  submitJob,
} from "@duchenne/control";
import { createSupervisor } from "@duchenne/jobs";
import { type CreateTrainingJobRequest, type FineTune, type LinearProbe, TrainerService } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import type { JsonObject, Store } from "@duchenne/store";
import { findTensorFlow, tensorFlowMissing } from "@duchenne/tensor/provision";
import { planFineTune, planLinearProbe } from "@duchenne/training/recipes";
import type { TrainerConfig } from "./config.ts";
import { fineTuneFields, linearProbeFields, withFieldNames } from "./convert.ts";

/** A checked training: the kind of its job, and what the job is made from. */
interface CheckedTraining {
  readonly kind: "fine_tune" | "linear_probe";
  readonly spec: JsonObject;
  readonly displayName: string;
}

/** Makes the trainer and starts to run its jobs. */
export async function createTrainer(context: ServiceContext, config: TrainerConfig): Promise<HostedService> {
  const { store, logger, dataDirectory, otlpEndpoint } = context;
  const { maxAttempts: maxFailures, trainingSlots, cancelGraceMs } = config;
  const attemptModule = new URL("./attempt.ts", import.meta.url);
  const supervisor = createSupervisor({
    store,
    dataDirectory,
    kinds: {
      fine_tune: { attemptModule, slot: "training" },
      linear_probe: { attemptModule, slot: "training" },
      synthesize_dataset: { attemptModule: new URL("./synthesis-attempt.ts", import.meta.url), slot: "synthesis" },
    },
    slots: { training: trainingSlots, synthesis: 1 },
    stopGraceMs: cancelGraceMs,
    otlpEndpoint,
    logger,
  });

  const trainer = serviceHandler(TrainerService, {
    async createTrainingJob(request) {
      const checked = await checkTraining(store, request.training);
      if (findTensorFlow() === undefined) throw tensorFlowMissing();
      const displayName = request.displayName || checked.displayName;
      return submitJob(store, request, { ...checked, displayName, maxFailures });
    },
  });

  const roots = [join(dataDirectory, "import"), ...config.datasetRoots.map((root) => resolve(root))];
  return {
    handlers: [
      trainer,
      createJobService(store),
      createDatasetService(store, { roots, maxFailures }),
      createModelService(context),
    ],
    close: (options) => supervisor.close(options),
  };
}

async function checkTraining(store: Store, training: CreateTrainingJobRequest["training"]): Promise<CheckedTraining> {
  switch (training.case) {
    case "fineTune":
      return checkFineTune(store, training.value);
    case "linearProbe":
      return checkLinearProbe(store, training.value);
    case undefined:
      // The rules of the protos refuse it before.
      throw new TypeError("Expected a training, got none");
  }
}

async function checkFineTune(store: Store, message: FineTune): Promise<CheckedTraining> {
  const field = "fine_tune";
  if (parseModelName(message.model, `${field}.model`) === BUILT_IN_MODEL) throw new BuiltInModelError(`${field}.model`);
  const dataset = await openRegisteredDataset(store, message.dataset, { check: false, field: `${field}.dataset` });
  const { recipe } = withFieldNames(field, () => planFineTune(fineTuneFields(message), dataset));
  return {
    kind: "fine_tune",
    spec: { dataset: message.dataset, model: message.model, recipe },
    displayName: `Fine-tune of ${recipe.variant}, lambda ${recipe.lambda}, on ${message.dataset}`,
  };
}

async function checkLinearProbe(store: Store, message: LinearProbe): Promise<CheckedTraining> {
  const field = "linear_probe";
  const { model, version } = parseVersionName(message.modelVersion, `${field}.model_version`);
  if (model === BUILT_IN_MODEL) throw new BuiltInModelError(`${field}.model_version`);
  detectorCardOf(await store.models.getVersion(model, version));
  const dataset = await openRegisteredDataset(store, message.dataset, { check: false, field: `${field}.dataset` });
  const { recipe } = withFieldNames(field, () => planLinearProbe(linearProbeFields(message), dataset));
  return {
    kind: "linear_probe",
    spec: { dataset: message.dataset, modelVersion: message.modelVersion, recipe },
    displayName: `Identity probe of ${message.modelVersion} on ${message.dataset}`,
  };
}
