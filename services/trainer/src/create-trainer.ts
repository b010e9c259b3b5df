import { join, resolve } from "node:path";
import {
  createDatasetService,
  createDatasetUploads,
  createJobService,
  createModelService,
  type HostedService,
  type ServiceContext,
  submitJob,
} from "@duchenne/control";
import { checkPrecision, checkTraining, type TrainingKind, versionsRead } from "@duchenne/control/trainings";
import { createSupervisor } from "@duchenne/jobs";
import { TrainerService } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import { findTensorFlow, tensorFlowMissing } from "@duchenne/tensor/provision";
import { collectRegularly } from "./collect-regularly.ts";
import type { TrainerConfig } from "./config.ts";

/** Makes the trainer and starts to run its jobs. */
export async function createTrainer(context: ServiceContext, config: TrainerConfig): Promise<HostedService> {
  const { store, location, logger, dataDirectory, resources, leaseMs, stallMs, otlpEndpoint } = context;
  const { maxAttempts: maxFailures, trainingSlots, cancelGraceMs } = config;
  const training = { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "training" };
  const trainings: Record<TrainingKind, typeof training> = {
    fine_tune: training,
    linear_probe: training,
    pretrain: training,
    fine_tune_expression: training,
    distil: training,
  };
  const supervisor = createSupervisor({
    store,
    location,
    resources,
    kinds: {
      ...trainings,
      synthesize_dataset: { attemptModule: new URL("./synthesis-attempt.ts", import.meta.url), slot: "synthesis" },
    },
    slots: { training: trainingSlots, synthesis: 1 },
    stopGraceMs: cancelGraceMs,
    leaseMs,
    stallMs,
    otlpEndpoint,
    logger,
  });

  const collector = collectRegularly({ store, dataDirectory, logger });

  const trainer = serviceHandler(TrainerService, {
    async createTrainingJob(request) {
      const checked = await checkTraining(store, request.training);
      // With a database of its own this is the machine that trains; else the attempt finds out on which one it runs.
      if (location.database === undefined) checkPrecision(checked);
      if (findTensorFlow() === undefined) throw tensorFlowMissing();
      const displayName = request.displayName || checked.displayName;
      return submitJob(store, request, {
        ...checked,
        displayName,
        modelVersions: versionsRead(checked.spec),
        maxFailures,
      });
    },
  });

  const imports = join(dataDirectory, "import");
  const roots = [imports, ...config.datasetRoots.map((root) => resolve(root))];
  const { maxDatasetBytes } = config;
  const uploads = createDatasetUploads({ store, logger, dataDirectory, imports, maxDatasetBytes });
  return {
    handlers: [
      trainer,
      createJobService(store),
      createDatasetService(store, { roots, maxFailures, uploads }),
      createModelService(context),
    ],
    async close(options) {
      await Promise.all([supervisor.close(options), collector.close(), uploads.close()]);
    },
  };
}
