import { createHash } from "node:crypto";
import type { DuchenneClient } from "@duchenne/client";
import { synthesizeDataset } from "@duchenne/data";
import type { JobEvent, ModelArtifact } from "@duchenne/store";
import { metricsText } from "./client-log.ts";

/** The data set that trainings use. */
export const FACES = "faces";

/** Draws it into a folder that does not exist yet. */
export function drawFaces(directory: string): Promise<void> {
  return synthesizeDataset(directory, {
    seed: 8,
    subjects: 6,
    framesPerSubject: 16,
    imageSize: 64,
    identityShortcut: 0,
  });
}

/** What a training made, to compare with another of the same recipe: bit for bit. */
export interface TrainingTrace {
  /** The sha256 of its published weights. */
  readonly weights: string;
  /** Its metrics in order, as if no step had been done twice. */
  readonly metrics: readonly string[];
}

/**
 * Starts a training that uses everything random there is: order, mirroring, stochastic depth, two heads.
 *
 * @param name of its model; other trainings differ in nothing else
 */
export function startTinyTraining(client: DuchenneClient, name: string, requestId: string, timeoutMs?: number) {
  const request = {
    requestId,
    training: {
      case: "fineTune" as const,
      value: {
        dataset: `datasets/${FACES}`,
        model: `models/${name}`,
        encoder: { variant: "micro" },
        augmentation: "flip",
        lambda: 0.5,
        split: { validationFraction: 0 },
        optimization: { epochs: 8, batchSize: 16, checkpointEverySteps: 2 },
      },
    },
  };
  return client.trainer.createTrainingJob(request, timeoutMs === undefined ? {} : { timeoutMs });
}

/** What a training's events and version say. */
export function traceOf(events: readonly JobEvent[], artifacts: readonly ModelArtifact[]): TrainingTrace {
  const weights = artifacts.find(({ role }) => role === "safetensors")?.digest ?? "none";
  return { weights, metrics: lastingMetrics(events) };
}

/** What an attempt tells that cannot read a checkpoint, with the step that it goes on from, if any. */
const CANNOT_READ =
  /^The checkpoint of step \d+ cannot be read .*: (?:goes on from that of step (\d+)|starts from the beginning)$/;

/**
 * Metrics without those of steps that were done again: an attempt goes on from the last stored checkpoint or, when it tells
 * that this one cannot be read, from an earlier one or from the beginning.
 */
export function lastingMetrics(events: readonly JobEvent[]): readonly string[] {
  let metrics: readonly string[] = [];
  /** Those of the way to each checkpoint, by its step. */
  const atCheckpoints = new Map<number, readonly string[]>();
  let newest: number | undefined;
  const goOnFrom = (step: number | undefined) => {
    metrics = (step === undefined ? undefined : atCheckpoints.get(step)) ?? [];
  };
  for (const event of events) {
    if (event.kind === "metrics") metrics = [...metrics, metricsText(event.step, event.values)];
    else if (event.kind === "checkpoint") {
      newest = event.step;
      atCheckpoints.set(newest, metrics);
    } else if (event.kind === "state" && event.state === "RUNNING") goOnFrom(newest);
    else if (event.kind === "log") {
      const told = CANNOT_READ.exec(event.text);
      if (told !== null) goOnFrom(told[1] === undefined ? undefined : Number(told[1]));
    }
  }
  return metrics;
}

/** A short name of a trace, for people. */
export function traceName({ weights, metrics }: TrainingTrace): string {
  const log = createHash("sha256").update(metrics.join("\n")).digest("hex");
  return `weights ${weights.slice(0, 12)}, ${metrics.length} metrics ${log.slice(0, 12)}`;
}
