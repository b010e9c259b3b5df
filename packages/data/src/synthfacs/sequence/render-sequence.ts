import type { SyntheticFrame } from "../frame.ts";
import { type Framing, type RenderedFace, renderLabelledFace } from "../render.ts";
import type { SyntheticSubject } from "../subject.ts";
import { createSyntheticSequence, type SequenceOptions } from "./synthetic-sequence.ts";

/** A frame of a sequence with its picture. */
export interface SequenceFrame {
  /** From 1. */
  readonly frame: number;
  /** In seconds; the first frame is at 0. */
  readonly time: number;
  readonly drawn: SyntheticFrame;
  readonly face: RenderedFace;
}

/** Draws a sequence and renders it, frame by frame as it is asked for. */
export async function* renderSequence(
  subject: SyntheticSubject,
  { size, framing, ...options }: SequenceOptions & { readonly size: number; readonly framing: Framing },
): AsyncGenerator<SequenceFrame> {
  const { seed, index, frameRateHz } = options;
  for (const [f, drawn] of createSyntheticSequence(subject, options).entries()) {
    const noiseSeed = [seed, subject.name, "sequence", index, f];
    const face = await renderLabelledFace(subject, drawn, { size, framing, noiseSeed });
    yield { frame: f + 1, time: f / frameRateHz, drawn, face };
  }
}
