import { expect, it } from "vitest";
import type { Failure } from "./failure.ts";
import { type LiveEvent, type LiveState, nextState } from "./live-state.ts";

const failure = (kind: Failure["kind"], passes: boolean): Failure => ({
  kind,
  title: kind,
  advice: "",
  detail: "",
  passes,
});
const away = failure("server-away", true);

function after(...events: LiveEvent[]): LiveState {
  return events.reduce(nextState, { phase: "off" } as LiveState);
}

const connecting: LiveEvent[] = [{ type: "start" }, { type: "camera-opened" }];
const live: LiveEvent[] = [...connecting, { type: "configured" }];

it("asks for the camera, connects, is live, and is off when it is stopped", () => {
  expect(after({ type: "start" })).toEqual({ phase: "asking" });
  expect(after(...connecting)).toEqual({ phase: "connecting", attempt: 0 });
  expect(after(...live)).toEqual({ phase: "live" });
  expect(after(...live, { type: "stop" })).toEqual({ phase: "off" });
});

it("waits longer after each failed attempt, and from the beginning after one that went live", () => {
  let state = after(...connecting);
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    state = nextState(state, { type: "ended", failure: away, nowMs: 1_000 });
    if (state.phase !== "waiting") throw new Error(`Expected to wait, got ${state.phase}`);
    waits.push(state.untilMs - 1_000);
    state = nextState(state, { type: "retry" });
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  state = nextState(state, { type: "configured" });
  expect(nextState(state, { type: "ended", failure: away, nowMs: 0 })).toMatchObject({ untilMs: 500, attempt: 1 });
});

it("opens another session at once when the server has ended the one that was live", () => {
  const gone = failure("session-ended", true);
  expect(after(...live, { type: "ended", failure: gone, nowMs: 7 })).toMatchObject({ phase: "waiting", untilMs: 7 });
});

it("does not hurry when sessions end before they are live", () => {
  const gone = failure("session-ended", true);
  const state = after(...connecting, { type: "ended", failure: gone, nowMs: 0 });
  expect(state).toMatchObject({ phase: "waiting", untilMs: 500 });
});

it("comes back when a server that goes away has said to", () => {
  const leaving: LiveEvent = { type: "going-away", reconnectAfterMs: 3_000 };
  expect(after(...live, leaving)).toEqual({ phase: "going-away", reconnectAfterMs: 3_000 });
  const ended: LiveEvent = { type: "ended", failure: away, nowMs: 100 };
  expect(after(...live, leaving, ended)).toMatchObject({ phase: "waiting", untilMs: 3_100 });
});

it("tries nothing again that would fail again", () => {
  const noModel = failure("no-model", false);
  expect(after(...connecting, { type: "ended", failure: noModel, nowMs: 0 })).toEqual({
    phase: "failed",
    failure: noModel,
  });
  const refused = failure("camera-refused", false);
  const state = after({ type: "start" }, { type: "camera-failed", failure: refused });
  expect(state).toEqual({ phase: "failed", failure: refused });
  expect(nextState(state, { type: "retry" })).toBe(state);
  expect(nextState(state, { type: "start" })).toEqual({ phase: "asking" });
});

it("stays off when something of a stopped session comes late", () => {
  const late: LiveEvent[] = [
    { type: "configured" },
    { type: "going-away", reconnectAfterMs: 1 },
    { type: "ended", failure: away, nowMs: 0 },
    { type: "camera-failed", failure: away },
    { type: "camera-opened" },
    { type: "retry" },
    { type: "restart" },
  ];
  for (const event of late) expect(after(...live, { type: "stop" }, event)).toEqual({ phase: "off" });
});
