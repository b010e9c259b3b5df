import { type AuModel, createVisionEngine, type VisionEngine } from "@duchenne/vision";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blendshapeAgreement, foundShare, sequenceAgreement } from "./synthfacs-faces.ts";

let engine: VisionEngine;
let model: AuModel;
beforeAll(async () => {
  engine = createVisionEngine({ workers: 1 });
  model = await engine.load({ kind: "blendshape-au" });
});
afterAll(() => engine.close());

it("the face chain finds synthetic faces in all poses", async () => {
  expect(await foundShare(model, 11, 5, 10)).toBeGreaterThanOrEqual(0.98);
});

it.each([
  { actionUnit: 1, movement: "brow raise" },
  { actionUnit: 4, movement: "brow lower" },
  { actionUnit: 12, movement: "smile" },
  { actionUnit: 26, movement: "jaw drop" },
  { actionUnit: 43, movement: "blink" },
])("MediaPipe's blendshape follows AU$actionUnit, $movement", async ({ actionUnit }) => {
  const { withinSubjects } = await blendshapeAgreement(model, actionUnit, { seed: 11, subjects: 4 });
  expect(withinSubjects).toBeGreaterThanOrEqual(0.7);
});

it("MediaPipe's blendshapes follow a spoken sequence in time: jaw and blinks", async () => {
  // The first blink begins within 4 s.
  const frames = 44;
  const { found, correlations } = await sequenceAgreement(model, [26, 43], { seed: 11, frames, frameRateHz: 8 });
  expect(found).toBe(frames);
  for (const [actionUnit, correlation] of correlations) {
    expect(correlation, `AU${actionUnit}`).toBeGreaterThanOrEqual(0.7);
  }
}, 300_000);
