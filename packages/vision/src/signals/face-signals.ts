import type { ActionUnitScore } from "../au-model.ts";
import { type NeutralOffsets, neutralOffsets, withoutOffset } from "./neutral-calibration.ts";
import { createScoreFilter, type ScoreFilter, type Smoothing } from "./smoothing.ts";

/** The mean of one score of a neutral face. */
export type NeutralScore = Pick<ActionUnitScore, "actionUnit" | "side" | "score">;

/** What is to be done about a face's neutral expression. */
export type CalibrationRequest =
  /** The next so many frames of the face show it neutral. */
  | { readonly kind: "measure"; readonly frames: number }
  /** Neutral scores of before. */
  | { readonly kind: "baseline"; readonly scores: readonly NeutralScore[] }
  | { readonly kind: "reset" };

/** A measured neutral face. */
export interface NeutralBaseline {
  readonly faceId: bigint;
  readonly frames: number;
  /** Mean scores; the caller may keep them for another stream. */
  readonly scores: readonly NeutralScore[];
}

/** A face's scores as they are answered. */
export interface SignalledScores {
  readonly scores: readonly ActionUnitScore[];
  /** How they were calibrated; empty: they were not. */
  readonly calibration: string;
  /** Set with the last frame of a measurement. */
  readonly measured?: NeutralBaseline;
}

interface FaceState {
  filters: Map<string, ScoreFilter>;
  calibration: { readonly offsets: ReadonlyMap<string, number>; readonly method: string } | undefined;
  measuring: { frames: number; left: number; sums: Map<string, number> } | undefined;
}

/** Faces whose state is kept; ids are never given twice, so a stream of many people would grow for ever. */
const MAX_FACES = 256;

/**
 * Calibration and smoothing of one stream's scores, face by face: first a person's own offset is taken off, then the
 * score is smoothed. Without either the scores come out as they went in.
 */
export class FaceSignals {
  readonly #smoothing: Smoothing;
  readonly #faces = new Map<bigint, FaceState>();
  /** What faces yet unseen are given. */
  #forAll: CalibrationRequest = { kind: "reset" };

  constructor(smoothing: Smoothing) {
    this.#smoothing = smoothing;
  }

  /** @param faceId undefined: every face, also those still to come */
  calibrate(request: CalibrationRequest, faceId?: bigint): void {
    if (faceId === undefined) {
      this.#forAll = request;
      for (const face of this.#faces.values()) apply(request, face);
    } else {
      apply(request, this.#face(faceId));
    }
  }

  /** Forgets what belongs to a model: another one's scores have other offsets. */
  modelChanged(): void {
    this.#faces.clear();
    this.#forAll = { kind: "reset" };
  }

  next(faceId: bigint, scores: readonly ActionUnitScore[], atMs: number): SignalledScores {
    const face = this.#face(faceId);
    const { calibration } = face;
    // A measurement's last frame is still answered as the ones before it.
    const measured = measure(face, faceId, scores);
    const changed = scores.map((each) => {
      const key = keyOf(each);
      const calibrated = withoutOffset(each.score, calibration?.offsets.get(key) ?? 0);
      let filter = face.filters.get(key);
      if (filter === undefined) {
        filter = createScoreFilter(this.#smoothing);
        face.filters.set(key, filter);
      }
      const score = filter.next(calibrated, atMs);
      return score === each.score ? each : { ...each, score, rawScore: each.score };
    });
    return { scores: changed, calibration: calibration?.method ?? "", ...(measured && { measured }) };
  }

  #face(faceId: bigint): FaceState {
    const known = this.#faces.get(faceId);
    if (known !== undefined) {
      // The map's order is the order of use.
      this.#faces.delete(faceId);
      this.#faces.set(faceId, known);
      return known;
    }
    const face: FaceState = { filters: new Map(), calibration: undefined, measuring: undefined };
    apply(this.#forAll, face);
    this.#faces.set(faceId, face);
    for (const oldest of this.#faces.keys()) {
      if (this.#faces.size <= MAX_FACES) break;
      this.#faces.delete(oldest);
    }
    return face;
  }
}

function apply(request: CalibrationRequest, face: FaceState): void {
  face.filters = new Map();
  face.measuring = undefined;
  switch (request.kind) {
    case "reset":
      face.calibration = undefined;
      return;
    case "measure":
      face.measuring = { frames: request.frames, left: request.frames, sums: new Map() };
      return;
    case "baseline":
      face.calibration = { offsets: offsetsOf(request.scores), method: "neutral offset, stored baseline" };
  }
}

/** Adds a neutral frame; with the last one the calibration begins. */
function measure(face: FaceState, faceId: bigint, scores: readonly ActionUnitScore[]): NeutralBaseline | undefined {
  const { measuring } = face;
  if (measuring === undefined) return undefined;
  for (const each of scores) {
    const key = keyOf(each);
    measuring.sums.set(key, (measuring.sums.get(key) ?? 0) + each.score);
  }
  if (--measuring.left > 0) return undefined;
  const { frames, sums } = measuring;
  const means = scores.map(({ actionUnit, side }) => ({
    actionUnit,
    score: (sums.get(keyOf({ actionUnit, ...(side && { side }) })) ?? 0) / frames,
    ...(side && { side }),
  }));
  face.measuring = undefined;
  face.filters = new Map();
  face.calibration = { offsets: offsetsOf(means), method: `neutral offset, ${frames} frames` };
  return { faceId, frames, scores: means };
}

function offsetsOf(scores: readonly NeutralScore[]): Map<string, number> {
  const offsets: NeutralOffsets = neutralOffsets(scores.map(({ score }) => score));
  return new Map(scores.map((each, i) => [keyOf(each), offsets[i]!]));
}

function keyOf({ actionUnit, side }: Pick<ActionUnitScore, "actionUnit" | "side">): string {
  return `${actionUnit} ${side ?? ""}`;
}
