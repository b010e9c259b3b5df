import { SupersededError } from "@duchenne/vision";
import { describe, expect, it } from "vitest";
import { FrameLane, type LanePolicy } from "./frame-lane.ts";

/** A lane whose work begins and ends when the test says so. */
function setUp(policy: LanePolicy, { maxUnanswered = 3, onAnswer = (_: number) => {} } = {}) {
  const told: string[] = [];
  const works = new Map<number, { begin(): void; score(): void; finish(): void; fail(error: Error): void }>();
  let waiting: { readonly frame: number; readonly fail: (error: Error) => void } | undefined;
  const lane = new FrameLane<number, string>({
    policy,
    maxUnanswered,
    work: (frame, { latest, onStart, onScoring }) =>
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
          score: onScoring,
          finish: () => resolve("scored"),
          fail(error) {
            if (waiting?.frame === frame) waiting = undefined;
            reject(error);
          },
        });
      }),
    answer(frame, outcome) {
      told.push(`${frame} ${outcome.status}`);
      onAnswer(frame);
    },
    stale: (frame) => told.push(`${frame} stale`),
    failed: (error) => told.push(String(error)),
  });
  return { lane, told, works };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise is settled by the next turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await turn();
  return settled;
}

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
    const { lane, works } = setUp("every-frame", { maxUnanswered: 2 });
    await lane.push(1);
    const second = lane.push(2);
    expect(await isSettled(second)).toBe(false);
    works.get(1)!.finish();
    await second;
  });

  it("has what is done in between in its place", async () => {
    const { lane, told, works } = setUp("every-frame");
    void lane.push(1);
    void lane.between(() => told.push("between"));
    void lane.push(2);
    works.get(2)!.finish();
    works.get(1)!.finish();
    await lane.settled();
    expect(told).toEqual(["1 fulfilled", "between", "2 fulfilled"]);
  });

  it("is answered when something before it throws, which is told", async () => {
    const { lane, told, works } = setUp("every-frame", {
      onAnswer(frame) {
        if (frame === 1) throw new Error("no answer");
      },
    });
    for (const frame of [1, 2]) void lane.push(frame);
    void lane.between(() => {
      throw new Error("no action");
    });
    for (const frame of [1, 2]) works.get(frame)!.finish();
    await lane.settled();
    expect(told).toEqual(["1 fulfilled", "Error: no answer", "2 fulfilled", "Error: no action"]);
  });
});

describe.each(["every-frame", "latest-wins"] as const)("under %s", (policy) => {
  it("what is done in between counts as unanswered: a flood of bad frames waits in the transport", async () => {
    const { lane, told, works } = setUp(policy, { maxUnanswered: 2 });
    void lane.push(1);
    works.get(1)!.begin();
    void lane.between(() => told.push("first"));
    const second = lane.between(() => told.push("second"));
    expect(await isSettled(second)).toBe(false);
    works.get(1)!.finish();
    await second;
    expect(told).toEqual(["1 fulfilled", "first", "second"]);
  });
});

describe("the latest wins", () => {
  it("over one that was not begun, which is told at once", async () => {
    const { lane, told, works } = setUp("latest-wins");
    await lane.push(1);
    for (const frame of [2, 3]) await lane.push(frame);
    await turn();
    expect(told).toEqual(["1 stale", "2 stale"]);
    works.get(3)!.begin();
    works.get(3)!.finish();
    await lane.settled();
    expect(told).toEqual(["1 stale", "2 stale", "3 fulfilled"]);
  });

  it("and begins when the one before begins to be scored, not earlier: none grows old in between", async () => {
    const { lane, told, works } = setUp("latest-wins");
    await lane.push(1);
    works.get(1)!.begin();
    for (const frame of [2, 3]) await lane.push(frame);
    expect(told).toEqual(["2 stale"]);
    expect(works.has(3)).toBe(false);
    works.get(1)!.score();
    works.get(3)!.begin();
    works.get(3)!.score();
    // One is scored and one waits for its scores: that is all that may be in work.
    await lane.push(4);
    expect(works.has(4)).toBe(false);
    works.get(1)!.finish();
    await turn();
    works.get(4)!.begin();
    for (const frame of [4, 3]) works.get(frame)!.finish();
    await lane.settled();
    expect(told).toEqual(["2 stale", "1 fulfilled", "3 fulfilled", "4 fulfilled"]);
  });

  it("and a frame that failed before it was begun is not taken for one that waits", async () => {
    const { lane, told, works } = setUp("latest-wins");
    await lane.push(1);
    works.get(1)!.begin();
    works.get(1)!.score();
    await lane.push(2);
    works.get(2)!.fail(new Error("the queue is full"));
    await turn();
    for (const frame of [3, 4]) await lane.push(frame);
    expect([works.has(3), works.has(4)]).toEqual([false, false]);
    works.get(1)!.finish();
    await turn();
    works.get(4)!.finish();
    await lane.settled();
    expect(told).toEqual(["3 stale", "1 fulfilled", "2 rejected", "4 fulfilled"]);
  });

  it("and what is done in between keeps its place among frames that are held", async () => {
    const { lane, told, works } = setUp("latest-wins");
    await lane.push(1);
    works.get(1)!.begin();
    await lane.push(2);
    void lane.between(() => told.push("between"));
    works.get(1)!.finish();
    await turn();
    expect(told).toEqual(["1 fulfilled"]);
    works.get(2)!.finish();
    await lane.settled();
    expect(told).toEqual(["1 fulfilled", "2 fulfilled", "between"]);
  });
});
