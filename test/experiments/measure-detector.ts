import { macroAucOf } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import { loadTensorFlow } from "@duchenne/tensor";
import type { ScoredFrames } from "@duchenne/training";
import { type Faces, openFaces } from "./faces.ts";
import { fineTuneDetector } from "./fine-tune-detector.ts";
import { hogBaseline } from "./hog-baseline.ts";
import { type ProbedIdentity, probeIdentity } from "./probe-identity.ts";
import { SETTINGS } from "./settings.ts";

/** One training, and what is measured of the model that it makes. */
export interface DetectorTask {
  readonly name: string;
  readonly faces: Faces;
  readonly lambda: number;
  /** Of the drawn weights and the order; the fold of this number is tested on. */
  readonly seed: number;
  readonly epochs: number;
  /** Absent: drawn weights. */
  readonly initial?: SourceWeights;
  /** Share of the training part's frames that is used; absent: all. */
  readonly share?: number;
  /** Layers of the identity probes. */
  readonly probes?: readonly (1 | 2)[];
  /** Whether gradient histograms are trained and scored on the same parts. */
  readonly withHistograms?: boolean;
}

/** A detector's figures after its last step: no epoch was chosen on the test part. */
export interface MeasuredDetector {
  readonly lambda: number;
  readonly seed: number;
  /** On the test part. */
  readonly scored: ScoredFrames;
  /** Metrics of the test part after each epoch, by name. */
  readonly epochs: readonly Readonly<Record<string, number>>[];
  /** Frames with labels. */
  readonly labelled: number;
  /** In the order of the task's. */
  readonly probes: readonly ProbedIdentity[];
  /** Macro AUC of gradient histograms; absent when not asked for. */
  readonly histogramAuc?: number;
}

/** Runs a task; a process of its own does, so the engine takes one thread. */
export default async function measureDetector(task: DetectorTask): Promise<MeasuredDetector> {
  const tf = await loadTensorFlow({ intraOpThreads: 1 });
  const dataset = await openFaces(task.faces);
  const { model, scored, epochs, labelled, train, test } = await fineTuneDetector(tf, { ...task, dataset });
  const probes: ProbedIdentity[] = [];
  for (const layers of task.probes ?? []) {
    probes.push(await probeIdentity(tf, `${task.name}, probe of ${layers}`, dataset, model, layers));
  }
  const measured = { lambda: task.lambda, seed: task.seed, scored, epochs, labelled, probes };
  if (task.withHistograms !== true) return measured;
  const probabilities = await hogBaseline(tf, dataset, { train, test, ...SETTINGS.encoder });
  return { ...measured, histogramAuc: macroAucOf({ ...scored, probabilities })(() => 1) ?? Number.NaN };
}
