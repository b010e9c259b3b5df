import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { readPackaged } from "../faces/photographs.ts";
import { type AnswerOf, openStream } from "./live-client.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
/** A face at rest on which AU2 reads 0.84 and AU1 0.78, and one that smiles. */
let resting: Buffer;
let smiling: Buffer;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("detector", folder.path);
  resting = await readPackaged("material-kit/assets/img/faces/kendall.jpg");
  smiling = await readPackaged("material-kit/assets/img/faces/christian.jpg");
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const NEUTRAL = 0.05;
const score = ({ faces }: AnswerOf<"result">, actionUnit: number) =>
  faces[0]!.scores.find((each) => each.actionUnit === actionUnit && each.side === 0)!;

describe("a neutral span", () => {
  it("takes off what the face shows at rest, can be reset, and be brought to another stream", async () => {
    const stream = openStream(server.grpc, { tracking: { detectEvery: 1 } });
    await stream.next("configured");
    let sequence = 0n;
    const see = async (image: Buffer) => {
      stream.frame({ sequence: ++sequence, image });
      return stream.next("result");
    };
    const before = await see(resting);
    expect(score(before, 1).score).toBeGreaterThan(0.5);
    expect(score(before, 1)).toMatchObject({ present: true, calibration: "" });
    expect(score(before, 1).rawScore).toBe(undefined);

    stream.send({ case: "calibration", value: { action: { case: "measure", value: { frames: 3 } } } });
    for (let i = 0; i < 3; i++) expect(score(await see(resting), 1).score).toBe(score(before, 1).score);
    const calibrated = await stream.next("calibrated");
    expect(calibrated).toMatchObject({ faceId: before.faces[0]!.faceId, frames: 3 });
    expect(calibrated.baseline!.scores.length).toBe(before.faces[0]!.scores.length);
    const after = await see(resting);
    for (const each of after.faces[0]!.scores) {
      expect(each.score).toBeLessThan(NEUTRAL + 1e-6);
      expect(each).toMatchObject({ present: false, calibration: "neutral offset, 3 frames" });
    }
    expect(score(after, 1).rawScore).toBeCloseTo(score(before, 1).score, 6);
    expect(score(after, 12).rawScore).toBe(undefined);

    stream.send({ case: "calibration", value: { action: { case: "reset", value: {} } } });
    expect(score(await see(resting), 1)).toMatchObject({ score: score(before, 1).score, calibration: "" });
    stream.halfClose();

    const later = openStream(server.grpc, { tracking: { detectEvery: 1 } });
    await later.next("configured");
    later.send({ case: "calibration", value: { action: { case: "baseline", value: calibrated.baseline! } } });
    later.frame({ sequence: 1n, image: resting });
    expect(score(await later.next("result"), 1)).toMatchObject({
      score: score(after, 1).score,
      calibration: "neutral offset, stored baseline",
    });
    later.halfClose();
  });

  it("leaves a smile that the resting face does not have", async () => {
    const stream = openStream(server.grpc, { tracking: { detectEvery: 1 } });
    await stream.next("configured");
    stream.send({ case: "calibration", value: { action: { case: "measure", value: { frames: 1 } } } });
    stream.frame({ sequence: 1n, image: resting });
    await stream.next("result");
    await stream.next("calibrated");
    stream.frame({ sequence: 2n, image: smiling });
    expect(score(await stream.next("result"), 12)).toMatchObject({ present: true });
    stream.halfClose();
  });

  it("is refused for scores that the model does not answer", async () => {
    const stream = openStream(server.grpc);
    await stream.next("configured");
    const baseline = { scores: [{ actionUnit: 99, score: 0.2 }] };
    stream.send({ case: "calibration", value: { action: { case: "baseline", value: baseline } } });
    const error = ConnectError.from(await stream.read().catch((thrown: unknown) => thrown));
    expect(error.rawMessage).toContain("one of AU1, AU2 (also left, right)");
    expect(error.rawMessage).toContain("got AU99");
  });
});

describe("smoothing", () => {
  it("is stated in the answer, and halves a step in its half-life of capture time", async () => {
    const halfLife = { seconds: 1n, nanos: 0 };
    const smoothing = { filter: { case: "exponential", value: { halfLife } } } as const;
    const stream = openStream(server.grpc, { smoothing, tracking: { detectEvery: 1 } });
    expect((await stream.next("configured")).smoothing).toMatchObject({ filter: { case: "exponential" } });
    const see = async (seconds: number, image: Buffer) => {
      stream.frame({ sequence: BigInt(seconds + 1), image, captureTime: { seconds: BigInt(seconds), nanos: 0 } });
      return score(await stream.next("result"), 12);
    };
    const first = await see(0, resting);
    expect(first.rawScore).toBe(undefined);
    const second = await see(1, smiling);
    expect(second.score).toBeCloseTo((first.score + second.rawScore!) / 2, 6);
    const third = await see(3, smiling);
    expect(third.score).toBeCloseTo(second.score + 0.75 * (third.rawScore! - second.score), 6);
    stream.halfClose();
  });
});
