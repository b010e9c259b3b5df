import { z } from "zod";
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

/** Thrown when bytes are not what `writeFrameScores` writes. */
export class FrameScoresError extends Error {
  readonly code = "data_loss";
  readonly reason = "FRAME_SCORES_UNREADABLE";

  constructor(problem: string) {
    super(`Expected the scores of an evaluation, got ${problem}`);
    this.name = "FrameScoresError";
  }
}

const bytesSchema = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, "base64")));
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
  const names = [...new Set(scores.subjects)].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const stored: z.input<typeof storedSchema> = {
    format: 1,
    actionUnits: [...scores.actionUnits],
    thresholds: [...scores.thresholds],
    subjects: names,
    subjectOfFrame: base64(Uint32Array.from(scores.subjects, (subject) => places.get(subject)!)),
    frames: base64(scores.frames),
    probabilities: base64(scores.probabilities),
    occurrence: base64(scores.occurrence),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** Reads what `writeFrameScores` wrote. @throws {FrameScoresError} */
export function readFrameScores(bytes: Uint8Array): FrameScores {
  const stored = parse(bytes);
  const frames = new Uint32Array(wholeWords(stored.frames, "frames"));
  const subjectOf = new Uint32Array(wholeWords(stored.subjectOfFrame, "subjectOfFrame"));
  const probabilities = new Float32Array(wholeWords(stored.probabilities, "probabilities"));
  const occurrence = new Int8Array(stored.occurrence.buffer);
  const { actionUnits, thresholds, subjects: names } = stored;
  for (const [name, length, expected] of [
    ["subjects", subjectOf.length, frames.length],
    ["thresholds", thresholds.length, actionUnits.length],
    ["probabilities", probabilities.length, frames.length * actionUnits.length],
    ["labels", occurrence.length, frames.length * actionUnits.length],
  ] as const) {
    if (length !== expected) throw new FrameScoresError(`${length} ${name} where ${expected} belong`);
  }
  const subjects = Array.from(subjectOf, (place) => {
    const name = names[place];
    if (name === undefined) throw new FrameScoresError(`subject ${place} of ${names.length}`);
    return name;
  });
  return { actionUnits, thresholds, subjects, frames, probabilities, occurrence };
}

function parse(bytes: Uint8Array): z.output<typeof storedSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FrameScoresError("no JSON");
  }
  const { data, error } = storedSchema.safeParse(json);
  if (data === undefined) throw new FrameScoresError(z.prettifyError(error));
  return data;
}

const base64 = ({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array | Int8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

function wholeWords({ buffer, byteLength }: Uint8Array, name: string): ArrayBufferLike {
  if (byteLength % 4 !== 0) throw new FrameScoresError(`${byteLength} bytes of ${name}, no whole words`);
  return buffer;
}
