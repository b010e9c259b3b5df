import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

/** Milliseconds of a duration, with their fraction: protobuf-es's durationMs rounds, so that what is short becomes nothing. */
export function exactDurationMs({ seconds, nanos }: Pick<Duration, "seconds" | "nanos">): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** A duration of so many milliseconds, to the nanosecond; protobuf-es's durationFromMs takes whole milliseconds only. */
export function exactDuration(ms: number): Duration {
  const nanos = Math.round(ms * 1e6);
  const seconds = Math.trunc(nanos / 1e9);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: nanos - seconds * 1e9 });
}
