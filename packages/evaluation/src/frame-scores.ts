import { z } from "zod";
import {
  bytesSchema,
  checkLengths,
  parseScores,
  readSubjects,
  storedSubjects,
  toBase64,
  wholeWords,
} from "./stored-scores.ts";
import type { ScoredUnits } from "./thresholds.ts";

/** What an evaluation of an action unit detector keeps beside its report, of N frames and A action units. */
export interface FrameScores extends ScoredUnits {
  /** N places in the data set. */
  readonly frames: Uint32Array;
  /** The subject of each frame; all empty when they are not known. */
  readonly subjects: readonly string[];
  /** A thresholds: an action unit is present from this probability on. */
  readonly thresholds: readonly number[];
}

const storedSchema = z.object({
  format: z.literal(1),
  actionUnits: z.array(z.int()),
  thresholds: z.array(z.number()),
  /** Each name once. */
  subjects: z.array(z.string()),
  /** Little-endian: uint32 a frame, uint32 a frame, float32 and int8 a frame and action unit. */
  subjectOfFrame: bytesSchema,
  frames: bytesSchema,
  probabilities: bytesSchema,
  occurrence: bytesSchema,
});

/** Writes scores as JSON with its arrays in base64, the same bytes of the same scores. */
export function writeFrameScores(scores: FrameScores): Buffer {
  const stored: z.input<typeof storedSchema> = {
    format: 1,
    actionUnits: [...scores.actionUnits],
    thresholds: [...scores.thresholds],
    ...storedSubjects(scores.subjects),
    frames: toBase64(scores.frames),
    probabilities: toBase64(scores.probabilities),
    occurrence: toBase64(scores.occurrence),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** Reads what `writeFrameScores` wrote. @throws {FrameScoresError} */
export function readFrameScores(bytes: Uint8Array): FrameScores {
  const stored = parseScores(bytes, storedSchema);
  const frames = new Uint32Array(wholeWords(stored.frames, "frames"));
  const probabilities = new Float32Array(wholeWords(stored.probabilities, "probabilities"));
  const occurrence = new Int8Array(stored.occurrence.buffer);
  const { actionUnits, thresholds } = stored;
  const subjects = readSubjects(stored);
  checkLengths([
    ["subjects", subjects.length, frames.length],
    ["thresholds", thresholds.length, actionUnits.length],
    ["probabilities", probabilities.length, frames.length * actionUnits.length],
    ["labels", occurrence.length, frames.length * actionUnits.length],
  ]);
  return { actionUnits, thresholds, subjects, frames, probabilities, occurrence };
}
