import { create } from "@bufbuild/protobuf";
import { NeutralCalibratedSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { NeutralCalibration } from "./neutral-calibration.ts";

const calibrated = (faceId: bigint) =>
  create(NeutralCalibratedSchema, { faceId, frames: 30, baseline: { scores: [{ actionUnit: 4, score: 0.4 }] } });

function measured(faceId = 3n): NeutralCalibration {
  const calibration = new NeutralCalibration();
  calibration.configured("models/a/versions/1", true);
  calibration.measure(faceId);
  calibration.calibrated(calibrated(faceId));
  return calibration;
}

it("counts the frames of the face that is measured, until the server says that it is done", () => {
  const calibration = new NeutralCalibration();
  expect(calibration.measure(3n)).toEqual({ faceId: 3n, action: { case: "measure", value: { frames: 30 } } });
  calibration.answered([3n, 4n]);
  calibration.answered([4n]);
  expect(calibration.state).toEqual({ phase: "measuring", faceId: 3n, seen: 1, frames: 30 });
  for (let i = 0; i < 50; i++) calibration.answered([3n]);
  expect(calibration.state).toMatchObject({ phase: "measuring", seen: 29 });
  calibration.calibrated(calibrated(4n));
  expect(calibration.state).toMatchObject({ phase: "measuring" });
  calibration.calibrated(calibrated(3n));
  expect(calibration.state).toEqual({ phase: "calibrated", faceId: 3n });
});

it("gives the baseline to the next session of the same model, and to none of another", () => {
  const calibration = measured();
  expect(calibration.configured("models/a/versions/1", true)).toMatchObject({
    faceId: 0n,
    action: { case: "baseline", value: { scores: [{ actionUnit: 4, score: 0.4 }] } },
  });
  expect(calibration.state).toMatchObject({ phase: "calibrated" });
  expect(calibration.configured("models/b/versions/1", true)).toBeUndefined();
  expect(calibration.state).toEqual({ phase: "none" });
});

it("does not give one person's baseline to others", () => {
  const calibration = measured();
  calibration.answered([3n, 9n]);
  expect(calibration.state).toMatchObject({ phase: "calibrated" });
  expect(calibration.configured("models/a/versions/1", true)).toBeUndefined();
  expect(calibration.state).toEqual({ phase: "none" });
});

it("ends when the model moves under the session, as it does on the server", () => {
  const calibration = measured();
  expect(calibration.configured("models/a/versions/1", false)).toBeUndefined();
  expect(calibration.state).toMatchObject({ phase: "calibrated" });
  expect(calibration.configured("models/a/versions/2", false)).toBeUndefined();
  expect(calibration.state).toEqual({ phase: "none" });
});

it("forgets it when it is told to", () => {
  const calibration = measured();
  expect(calibration.reset()).toMatchObject({ action: { case: "reset" } });
  expect(calibration.state).toEqual({ phase: "none" });
  expect(calibration.configured("models/a/versions/1", true)).toBeUndefined();
});
