import { expect, it } from "vitest";
import { FrameLog } from "./frame-log.ts";

const logOf = (...lines: string[]) => {
  const log = new FrameLog();
  for (const line of lines) log.add(line);
  log.end();
  return log;
};

it("a frame's time is told exactly after hours, and absent where the container has none", async () => {
  const log = logOf(
    "[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/90000, frame_rate: 25/1",
    "[Parsed_showinfo_0 @ 0x1] [info] config out time_base: 0/0, frame_rate: 0/0",
    "[Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:1296003600 pts_time:14400    pos: 4 fmt:yuv420p sar:1/1 s:64x48 i:P",
    "[Parsed_showinfo_0 @ 0x1] [info]   side data - pan/scan",
    "[Parsed_showinfo_0 @ 0x1] [info] n:   1 pts:NOPTS pts_time:NOPTS pos: 9 fmt:yuv420p cl:left sar:1/1 s:64x48 i:P",
    // A stream that changes in its middle has another clock, and counts again.
    "[Parsed_showinfo_0 @ 0x2] [info] config in time_base: 1/1000, frame_rate: 25/1",
    "[Parsed_showinfo_0 @ 0x2] [info] n:   0 pts:   -40 pts_time:-0.04 duration: 40 fmt:rgb24 sar:1/1 s:128x96 i:P",
  );
  expect(log.announced).toBe(3);
  expect(await log.next()).toEqual({ timestampS: 14_400.04, width: 64, height: 48 });
  expect(await log.next()).toEqual({ timestampS: undefined, width: 64, height: 48 });
  expect(await log.next()).toEqual({ timestampS: -0.04, width: 128, height: 96 });
  expect(await log.next()).toBeUndefined();
});

it("the first errors are kept, and all are counted, but for those of the pipe", () => {
  const errors = Array.from({ length: 12 }, (_, i) => `[h264 @ 0x1] [error] damaged ${i}`);
  const log = logOf("[rawvideo @ 0x1] [error] non monotonically increasing dts to muxer", ...errors);
  expect(log.errorCount).toBe(12);
  expect(log.errors).toEqual(Array.from({ length: 10 }, (_, i) => `damaged ${i}`));
});

it.each([
  [
    "of 2018",
    "[info]   Duration: 01:02:03.45, start: 0.0",
    "[verbose]   Input stream #0:0 (video): 45 packets read (9 bytes);",
  ],
  [
    "of today",
    "[info]   Duration: 01:02:03.45, start: 0.0",
    "[in#0/mov @ 0x5] [verbose]   Input stream #0:0 (video): 45 packets read (9 bytes);",
  ],
])("duration and packets are read from the log of an ffmpeg %s", (_, duration, packets) => {
  const log = logOf(duration, "[verbose]   Input stream #0:1 (audio): 99 packets read (9 bytes);", packets);
  expect(log.durationS).toBeCloseTo(3723.45, 6);
  expect(log.packets).toBe(45);
});
