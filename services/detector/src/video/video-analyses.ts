import { join, resolve } from "node:path";
import { parseVersionName, type ServiceContext, submitJob } from "@duchenne/control";
import { createSupervisor, type Supervisor } from "@duchenne/jobs";
import { DetectorService } from "@duchenne/proto";
import type { ServiceImplementation } from "@duchenne/rpc";
import type { DetectorConfig } from "../config.ts";
import { VIDEO_ANALYSIS } from "./analysis-spec.ts";
import { checkAnalysis } from "./check-analysis.ts";
import { exportAnalysis } from "./export-analysis.ts";

/** Analyses of videos: the methods that start and read them, and the jobs that run here. */
export interface VideoAnalyses {
  readonly methods: Pick<ServiceImplementation<typeof DetectorService>, "createVideoAnalysis" | "exportVideoAnalysis">;
  close: Supervisor["close"];
}

/** Starts to run analyses, in processes of their own. */
export function createVideoAnalyses(context: ServiceContext, config: DetectorConfig): VideoAnalyses {
  const { store, location, logger, dataDirectory, resources, leaseMs, stallMs, otlpEndpoint } = context;
  const supervisor = createSupervisor({
    store,
    location,
    resources,
    kinds: { [VIDEO_ANALYSIS]: { attemptModule: new URL("./analysis-attempt.ts", import.meta.url), slot: "analysis" } },
    slots: { analysis: config.analysisSlots },
    leaseMs,
    stallMs,
    otlpEndpoint,
    logger,
  });
  const defaults = {
    roots: [join(dataDirectory, "import"), ...config.videoRoots.map((root) => resolve(root))],
    maxFaces: config.defaultMaxFaces,
    detectEvery: config.detectEvery,
    // With a database that others share, the job finds out on which machine it runs.
    runsHere: location.database === undefined,
  };
  return {
    methods: {
      createVideoAnalysis: (request) =>
        submitJob(store, DetectorService.method.createVideoAnalysis, request, async () => {
          const spec = await checkAnalysis(store, request, defaults);
          const displayName = `Analysis of ${spec.video}`;
          const modelVersions = [parseVersionName(spec.modelVersion)];
          return { kind: VIDEO_ANALYSIS, spec, displayName, modelVersions };
        }),
      exportVideoAnalysis: (request) => exportAnalysis(store, request),
    },
    close: (options) => supervisor.close(options),
  };
}
