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
      curate_dataset: { attemptModule: new URL("./curation/curation-attempt.ts", import.meta.url), slot: "curation" },
    },
    slots: { training: trainingSlots, synthesis: 1, curation: 1 },
    stopGraceMs: cancelGraceMs,
    leaseMs,
    stallMs,
    otlpEndpoint,
    logger,
  });

  // With a database of its own this is the machine that works; else an attempt finds out on which one it runs.
  const runsHere = location.database === undefined;
  const collector = collectRegularly({ store, dataDirectory, logger });

  const trainer = serviceHandler(TrainerService, {
    createTrainingJob: (request) =>
      submitJob(store, TrainerService.method.createTrainingJob, request, async () => {
        const checked = await checkTraining(store, request.training);
        if (runsHere) checkPrecision(checked);
        if (findTensorFlow() === undefined) throw tensorFlowMissing();
        const displayName = request.displayName || checked.displayName;
        return { ...checked, displayName, modelVersions: versionsRead(checked.spec), maxFailures };
      }),
  });

  const imports = join(dataDirectory, "import");
  const roots = [imports, ...config.datasetRoots.map((root) => resolve(root))];
  const { maxDatasetBytes } = config;
  const uploads = createDatasetUploads({ store, logger, dataDirectory, imports, maxDatasetBytes });
  return {
    handlers: [
      trainer,
      createJobService(store),
      createDatasetService(store, { roots, maxFailures, runsHere, uploads }),
      createModelService(context),
    ],
    async close(options) {
      await Promise.all([supervisor.close(options), collector.close(), uploads.close()]);
    },
  };
}
