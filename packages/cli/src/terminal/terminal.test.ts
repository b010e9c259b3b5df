import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { FaceSchema, type JobEvent, JobEventSchema, JobState, ScoreKind, Side } from "@duchenne/proto";
import { describe, expect, it } from "vitest";
import { curationResultSchema, curationTable } from "./curation-table.ts";
import { bar, faceTable } from "./face-table.ts";
import { clock, createJobProgress } from "./job-progress.ts";
import type { Style } from "./style.ts";

const same = (text: string) => text;
const plain: Style = { bold: same, dim: same, good: same, bad: same, highlight: (text) => `[${text}]` };

/** A stream that keeps what is written. */
function screen(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  return { stream, written };
}

function progress(step: number): JobEvent {
  const value = { fraction: step / 10, step: BigInt(step), totalSteps: 10n, phase: "training", imagesPerSecond: 42.4 };
  return create(JobEventSchema, {
    attempt: 1,
    event: { case: "progress", value: { ...value, eta: durationFromMs(65_000) } },
  });
}

describe("the bar", () => {
  it("fills up to the score and marks the threshold", () => {
    expect(bar(0, 0.5)).toBe("░░░░░░░░░░┃░░░░░░░░░");
    expect(bar(0.75, 0.5)).toBe("██████████┃████░░░░░");
    expect(bar(7, 1)).toBe("███████████████████┃");
  });
  it("stands in a table of whole-face scores, with the sides behind", () => {
    const score = (actionUnit: number, side: Side, value: number) => ({
      actionUnit,
      side,
      score: value,
      threshold: 0.5,
      present: value >= 0.5,
      scoreKind: ScoreKind.ACTIVATION,
    });
    const scores = [score(12, Side.UNSPECIFIED, 0.8), score(12, Side.LEFT, 0.8), score(12, Side.RIGHT, 0.1)];
    expect(faceTable(create(FaceSchema, { scores }), plain)).toEqual([
      "[AU12 Lip corner puller     ██████████┃█████░░░░ 0.80]  L 0.80  R 0.10",
    ]);
  });
});

describe("a job's progress", () => {
  it("redraws one line on a terminal, cut to its width, and keeps notes above it", () => {
    const { stream, written } = screen(true);
    const drawing = createJobProgress(stream, plain, "training");
    drawing.show(progress(5));
    expect(written[0]).toBe(
      `\r\x1b[2K${"training ██████████████░░░░░░░░░░░░░░  50 %  5/10  42 images/s  ETA".slice(0, 59)}`,
    );
    drawing.show(create(JobEventSchema, { attempt: 2, event: { case: "state", value: { state: JobState.RUNNING } } }));
    expect(written[1]).toBe("\r\x1b[2Ktraining: attempt 2\n");
    drawing.end();
    expect(written.at(-1)).toBe("\n");
  });
  it("tells what becomes of children, and why", () => {
    const { stream, written } = screen(false);
    const drawing = createJobProgress(stream, plain, "cross-validation");
    const child = (state: JobState, error?: { message: string }) => {
      const value = { job: "jobs/c", displayName: "Fold 2", state, ...(error && { error }) };
      drawing.show(create(JobEventSchema, { event: { case: "child", value } }));
    };
    child(JobState.QUEUED);
    child(JobState.RUNNING);
    child(JobState.FAILED, { message: "no room" });
    expect(written).toEqual(["cross-validation: Fold 2: RUNNING\n", "cross-validation: Fold 2: FAILED: no room\n"]);
  });
  it("writes a line now and then where nothing can be redrawn, the last one always", () => {
    const { stream, written } = screen(false);
    const drawing = createJobProgress(stream, plain, "training");
    for (const step of [1, 2, 3, 10]) drawing.show(progress(step));
    expect(written.map((line) => line.includes("\r"))).toEqual([false, false]);
    expect(written[1]).toMatch(/100 % {2}10\/10 .* ETA 1:05\n$/);
  });
  it("counts what a curation keeps, in whole images", () => {
    const { stream, written } = screen(true);
    const drawing = createJobProgress({ ...stream, columns: 200 } as NodeJS.WriteStream, plain, "curation");
    const metrics = { values: { "curation/kept": 7, "curation/too_small": 2 } };
    drawing.show(create(JobEventSchema, { event: { case: "metrics", value: metrics } }));
    drawing.show(progress(9));
    expect(written.at(-1)).toMatch(/ {2}ETA 1:05 {2}kept 7$/);
  });
  it("tells time", () => {
    expect([0, 65_400, 3_725_000].map(clock)).toEqual(["0:00", "1:05", "1:02:05"]);
  });
});

describe("a curation", () => {
  it("is told as a table of what was kept and what was left out, by reason", () => {
    const result = curationResultSchema.parse({
      dataset: "datasets/wild",
      sources: 1200,
      videos: 2,
      kept: 1300,
      asTheyWere: 40,
      leftOut: { too_small: 99, not_an_image: 1 },
      report: "/data/curation.jsonl",
    });
    expect(curationTable(result)).toEqual([
      "files             1200",
      "  of them videos     2",
      "images kept       1300",
      "  as they were      40",
      "left out           100",
      "  too small         99",
      "  not an image       1",
      "/data/curation.jsonl",
    ]);
  });
});
