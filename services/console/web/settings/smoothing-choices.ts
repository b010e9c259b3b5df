import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { SmoothingSchema } from "@duchenne/proto";

/** A way to smooth scores over time. */
export interface SmoothingChoice {
  readonly label: string;
  /** Undefined: none. */
  readonly smoothing: MessageInitShape<typeof SmoothingSchema> | undefined;
}

/** By the values of the form; the first is what is chosen at first. */
export const SMOOTHING_CHOICES: ReadonlyMap<string, SmoothingChoice> = new Map([
  ["off", { label: "Off", smoothing: undefined }],
  [
    "one-euro",
    {
      label: "Calm at rest, quick in movement (one-euro)",
      smoothing: { filter: { case: "oneEuro", value: { minCutoffHz: 1, beta: 1 } } },
    },
  ],
  ["half-life-150", { label: "Average, half-life 0.15 s", smoothing: average(150) }],
  ["half-life-500", { label: "Average, half-life 0.5 s", smoothing: average(500) }],
]);

function average(halfLifeMs: number): MessageInitShape<typeof SmoothingSchema> {
  return { filter: { case: "exponential", value: { halfLife: durationFromMs(halfLifeMs) } } };
}
