import { SupersededError } from "@duchenne/vision";
import { describe, expect, it } from "vitest";
import { FrameLane, type LanePolicy } from "./frame-lane.ts";

/** A lane whose work begins and ends when the test says so. */
function setUp(policy: LanePolicy, maxUnanswered = 3) {
  const told: string[] = [];
  const works = new Map<number, { begin(): void; finish(): void; fail(error: Error): void }>();
  let waiting: { readonly frame: number; readonly fail: (error: Error) => void } | undefined;
  const lane = new FrameLane<number, string>({
    policy,
    maxUnanswered,
    work: (frame, { latest, onStart }) =>
      new Promise((resolve, reject) => {
        if (latest) {
          waiting?.fail(new SupersededError());
          waiting = { frame, fail: reject };
        }
        works.set(frame, {
          begin() {
            if (waiting?.frame === frame) waiting = undefined;
            onStart();
          },
          finish: () => resolve("scored"),
          fail: reject,
        });
      }),
    answer: (frame, outcome) => told.push(`${frame} ${outcome.status}`),
    stale: (frame) => told.push(`${frame} stale`),
  });
  return { lane, told, works };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("every frame", () => {
  it("is answered in order, whatever is done first", async () => {
    const { lane, told, works } = setUp("every-frame");
    void lane.push(1);
    void lane.push(2);
    works.get(2)!.finish();
    await turn();
    expect(told).toEqual([]);
    works.get(1)!.fail(new Error("broken"));
    await lane.settled();
    expect(told).toEqual(["1 rejected", "2 fulfilled"]);
  });

  it("makes the writer wait while as many as may are unanswered", async () => {
    const { lane, works } = setUp("every-frame", 2);
    await lane.push(1);
    let taken = false;
    const second = lane.push(2).then(() => {
      taken = true;
    });
    await turn();
    expect(taken).toBe(false);
    works.get(1)!.finish();
    await second;
    expect(taken).toBe(true);
  });

  it("has what is done in between in its place", async () => {
    const { lane, told, works } = setUp("every-frame");
    void lane.push(1);
    lane.between(() => told.push("between"));
    void lane.push(2);
    works.get(2)!.finish();
    works.get(1)!.finish();
    await lane.settled();
    expect(told).toEqual(["1 fulfilled", "between", "2 fulfilled"]);
  });
});

describe("the latest wins", () => {
  it("over one that was not begun, which is told at once", async () => {
    const { lane, told, works } = setUp("latest-wins");
    await lane.push(1);
    works.get(1)!.begin();
    await lane.push(2);
    await lane.push(3);
    await turn();
    expect(told).toEqual(["2 stale"]);
    works.get(3)!.begin();
    works.get(3)!.finish();
    works.get(1)!.finish();
    await lane.settled();
    expect(told).toEqual(["2 stale", "1 fulfilled", "3 fulfilled"]);
  });

  it("and begins when there is room", async () => {
    const { lane, told, works } = setUp("latest-wins");
    for (const frame of [1, 2]) {
      await lane.push(frame);
      works.get(frame)!.begin();
    }
    for (const frame of [3, 4, 5]) await lane.push(frame);
    expect(told).toEqual(["3 stale", "4 stale"]);
    expect(works.has(5)).toBe(false);
    works.get(1)!.finish();
    await turn();
    expect(works.has(5)).toBe(true);
    for (const frame of [2, 5]) works.get(frame)!.finish();
    await lane.settled();
    expect(told).toEqual(["3 stale", "4 stale", "1 fulfilled", "2 fulfilled", "5 fulfilled"]);
  });
});
