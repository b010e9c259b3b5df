import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchSilence } from "./watch-silence.ts";

describe("a watch for signs of life", () => {
  let nowMs: number;
  let told: number;
  const watch = (firstMs = 0) =>
    watchSilence(
      { limitMs: 1_000, firstMs },
      () => told++,
      () => nowMs,
    );
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    [nowMs, told] = [0, 0];
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Time in which this process runs. */
  const passes = (ms: number) => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += 10;
      vi.advanceTimersByTime(10);
    }
  };

  it("tells once when there was none for as long as it may last", () => {
    watch();
    passes(990);
    expect(told).toBe(0);
    passes(10);
    expect(told).toBe(1);
    passes(5_000);
    expect(told).toBe(1);
  });

  it("waits longer for the first one, if it may", () => {
    const { heard } = watch(3_000);
    passes(2_990);
    expect(told).toBe(0);
    heard();
    passes(990);
    expect(told).toBe(0);
    passes(60);
    expect(told).toBe(1);
    watch(3_000);
    passes(2_990);
    expect(told).toBe(1);
    passes(60);
    expect(told).toBe(2);
  });

  it("tells nothing while there are some, or when it was stopped", () => {
    const { heard, stop } = watch();
    for (let i = 0; i < 10; i++) {
      passes(900);
      heard();
    }
    expect(told).toBe(0);
    stop();
    passes(5_000);
    expect(told).toBe(0);
  });

  it("does not count the time in which its own process was stopped", () => {
    const { heard } = watch();
    passes(500);
    // What was sent in this hour is read after the timers.
    nowMs += 3_600_000;
    passes(50);
    expect(told).toBe(0);
    heard();
    passes(940);
    expect(told).toBe(0);
    passes(60);
    expect(told).toBe(1);
  });
});
