import type { CalibrationInput, FrameInput } from "@duchenne/client/browser";
import { expect, it } from "vitest";
import { FrameFeed } from "./frame-feed.ts";

const frame = (number: number): FrameInput => ({ image: new Uint8Array([number]) });
const reset = { action: { case: "reset", value: {} } } as const;

async function rest(feed: FrameFeed): Promise<(number | "calibration")[]> {
  const items: (number | "calibration")[] = [];
  for await (const item of feed as AsyncIterable<FrameInput | CalibrationInput>) {
    items.push("calibration" in item ? "calibration" : "image" in item ? item.image[0]! : -1);
  }
  return items;
}

it("gives the newest frame, and every calibration before it", async () => {
  const feed = new FrameFeed();
  feed.push(frame(1));
  feed.calibrate(reset);
  feed.push(frame(2));
  feed.calibrate(reset);
  feed.end();
  expect(await rest(feed)).toEqual(["calibration", "calibration", 2]);
});

it("wakes who waits for a frame, and ends who waits for nothing", async () => {
  const feed = new FrameFeed();
  const items = rest(feed);
  await Promise.resolve();
  feed.push(frame(1));
  await new Promise((resolve) => setTimeout(resolve));
  feed.push(frame(2));
  feed.end();
  expect(await items).toEqual([1, 2]);
});
