import { z } from "zod";

/** Thrown when bytes are not the scores that an evaluation keeps. */
export class FrameScoresError extends Error {
  readonly code = "data_loss";
  readonly reason = "FRAME_SCORES_UNREADABLE";

  constructor(problem: string) {
    super(`Expected the scores of an evaluation, got ${problem}`);
    this.name = "FrameScoresError";
  }
}

/** An array in base64. */
export const bytesSchema = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, "base64")));

/** An array as base64, little-endian. */
export const toBase64 = ({
  buffer,
  byteOffset,
  byteLength,
}: Uint32Array | Int32Array | Float32Array | Int8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

/** Reads JSON of a form. @throws {FrameScoresError} */
export function parseScores<S extends z.ZodType>(bytes: Uint8Array, schema: S): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FrameScoresError("no JSON");
  }
  const { data, error } = schema.safeParse(json);
  if (error !== undefined) throw new FrameScoresError(z.prettifyError(error));
  return data;
}

/** The memory of an array of 32 bits each. @throws {FrameScoresError} */
export function wholeWords({ buffer, byteLength }: Uint8Array, name: string): ArrayBufferLike {
  if (byteLength % 4 !== 0) throw new FrameScoresError(`${byteLength} bytes of ${name}, no whole words`);
  return buffer;
}

/** Each subject's name once, sorted, and base64 of each frame's place among them (uint32). */
export function storedSubjects(subjects: readonly string[]): { subjects: string[]; subjectOfFrame: string } {
  const names = [...new Set(subjects)].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  return {
    subjects: names,
    subjectOfFrame: toBase64(Uint32Array.from(subjects, (subject) => places.get(subject)!)),
  };
}

/** The subject of each frame, of what `storedSubjects` wrote. @throws {FrameScoresError} */
export function readSubjects(stored: { subjects: readonly string[]; subjectOfFrame: Uint8Array }): string[] {
  return Array.from(new Uint32Array(wholeWords(stored.subjectOfFrame, "subjectOfFrame")), (place) => {
    const name = stored.subjects[place];
    if (name === undefined) throw new FrameScoresError(`subject ${place} of ${stored.subjects.length}`);
    return name;
  });
}

/** @param lengths a name, how long it is and how long it has to be @throws {FrameScoresError} */
export function checkLengths(lengths: readonly (readonly [string, number, number])[]): void {
  for (const [name, length, expected] of lengths) {
    if (length !== expected) throw new FrameScoresError(`${length} ${name} where ${expected} belong`);
  }
}
