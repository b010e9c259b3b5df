import { z } from "zod";
import type { ClassifiedFrames } from "./classification.ts";
import {
  bytesSchema,
  checkLengths,
  FrameScoresError,
  parseScores,
  readSubjects,
  storedSubjects,
  toBase64,
  wholeWords,
} from "./stored-scores.ts";

/** What an evaluation of an expression classifier keeps beside its report, of N frames and C classes. */
export interface ExpressionScores extends ClassifiedFrames {
  /** N places in the data set. */
  readonly frames: Uint32Array;
  /** The subject of each frame; all empty when they are not known. */
  readonly subjects: readonly string[];
  /** C names of classes, in the order of the logits. */
  readonly expressions: readonly string[];
  /** N indices of classes; -1: not known, or none of these classes. */
  readonly labels: Int32Array;
}

const storedSchema = z.object({
  format: z.literal(1),
  expressions: z.array(z.string()),
  /** Each name once. */
  subjects: z.array(z.string()),
  /** Little-endian: uint32 a frame, uint32 a frame, int32 a frame, float32 a frame and class. */
  subjectOfFrame: bytesSchema,
  frames: bytesSchema,
  labels: bytesSchema,
  logits: bytesSchema,
});

/** Writes scores as JSON with its arrays in base64, the same bytes of the same scores. */
export function writeExpressionScores(scores: ExpressionScores): Buffer {
  const stored: z.input<typeof storedSchema> = {
    format: 1,
    expressions: [...scores.expressions],
    ...storedSubjects(scores.subjects),
    frames: toBase64(scores.frames),
    labels: toBase64(scores.labels),
    logits: toBase64(scores.logits),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** Reads what `writeExpressionScores` wrote. @throws {FrameScoresError} */
export function readExpressionScores(bytes: Uint8Array): ExpressionScores {
  const stored = parseScores(bytes, storedSchema);
  const { expressions } = stored;
  const frames = new Uint32Array(wholeWords(stored.frames, "frames"));
  const labels = new Int32Array(wholeWords(stored.labels, "labels"));
  const logits = new Float32Array(wholeWords(stored.logits, "logits"));
  const subjects = readSubjects(stored);
  checkLengths([
    ["subjects", subjects.length, frames.length],
    ["labels", labels.length, frames.length],
    ["logits", logits.length, frames.length * expressions.length],
  ]);
  const unknown = labels.find((label) => label < -1 || label >= expressions.length);
  if (unknown !== undefined) throw new FrameScoresError(`class ${unknown} of ${expressions.length}`);
  return { expressions, subjects, frames, labels, logits };
}
