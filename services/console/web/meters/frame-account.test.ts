import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DropReason, FrameDroppedSchema, FrameResultSchema, StageTimesSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { FrameAccount, stagesOf } from "./frame-account.ts";
import { RollingWindow } from "./rolling-window.ts";

const times = create(StageTimesSchema, {
  decode: durationFromMs(4),
  queue: durationFromMs(1),
  faces: durationFromMs(20),
  inference: durationFromMs(5),
  total: durationFromMs(32),
});

const result = (sequence: bigint, captureTimeMs: number) =>
  create(FrameResultSchema, { sequence, captureTime: timestampFromMs(captureTimeMs), times });
const drop = (sequence: bigint, reason: DropReason) => create(FrameDroppedSchema, { sequence, reason });

it("tells where the time went: what the server does not know of is travel", () => {
  expect(stagesOf(times, 50)).toEqual({ decode: 4, queue: 1, faces: 20, inference: 5, travel: 20 });
  expect(stagesOf(times)).toEqual({ decode: 4, queue: 1, faces: 20, inference: 5, travel: 2 });
  // Clocks of a browser are coarse.
  expect(stagesOf(times, 29).travel).toBe(0);
});

it("counts answers, drops by reason, and what was never sent", () => {
  const account = new FrameAccount();
  account.result(result(1n, 0), 40);
  account.drop(drop(4n, DropReason.STALE));
  account.result(result(3n, 100), 160);
  account.drop(drop(7n, DropReason.STALE));
  account.drop(drop(8n, DropReason.QUEUE_FULL));
  const meters = account.meters(160);
  expect(meters).toMatchObject({ answered: 2, dropped: 3, skipped: 3 });
  expect([...meters.reasons]).toEqual([
    ["a newer one came", 2],
    ["queue full", 1],
  ]);
});

it("tells the latency and the rate of the last seconds", () => {
  const account = new FrameAccount();
  expect(account.meters(0)).toMatchObject({ latency: undefined, stages: undefined, answeredPerSecond: 0 });
  // An old, slow one that counts no more.
  account.result(result(1n, 0), 1_000);
  for (let i = 0; i <= 20; i++) account.result(result(BigInt(i + 2), 10_000 + i * 100), 10_040 + i * 100);
  const { latency, answeredPerSecond, stages } = account.meters(12_040);
  expect(latency).toEqual({ medianMs: 40, p95Ms: 40 });
  expect(answeredPerSecond).toBe(10);
  expect(stages).toMatchObject({ faces: 20, travel: 10 });
  expect(account.meters(60_000).latency).toBeUndefined();
});

it("finds quantiles by nearest rank", () => {
  const window = new RollingWindow(1_000);
  for (const value of [5, 1, 4, 2, 3]) window.push(0, value);
  expect([0, 0.2, 0.5, 0.95, 1].map((share) => window.quantile(share, 0))).toEqual([1, 1, 3, 5, 5]);
  window.clear();
  expect(window.quantile(0.5, 0)).toBeUndefined();
});
