import type { Portrait } from "@duchenne/data";
import { type AuModel, createVisionEngine, type VisionEngine } from "@duchenne/vision";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packagedPortraits, scoresOf } from "./photo-faces.ts";
import { pearson } from "./synthfacs-faces.ts";

let engine: VisionEngine;
let model: AuModel;
let portraits: readonly Portrait[];
beforeAll(async () => {
  engine = createVisionEngine({ workers: 1 });
  model = await engine.load({ kind: "blendshape-au" });
  portraits = await packagedPortraits(model);
});
afterAll(() => engine.close());

it("photo mode takes the neutral portraits among the photographs", () => {
  expect(portraits.map(({ file }) => file)).toEqual([
    "avatar.jpg",
    "card-profile1-square.jpg",
    "card-profile5-square.jpg",
    "card-profile6-square.jpg",
    "marc.jpg",
    "profile-picture-2.jpg",
  ]);
});

it.each([
  { actionUnit: 1, movement: "brow raise" },
  { actionUnit: 4, movement: "brow lower" },
  { actionUnit: 12, movement: "smile" },
  { actionUnit: 26, movement: "jaw drop" },
  { actionUnit: 43, movement: "blink" },
])("MediaPipe's blendshape follows AU$actionUnit, $movement, on warped portraits", async ({ actionUnit }) => {
  for (const portrait of portraits.filter(({ file }) => ["marc.jpg", "profile-picture-2.jpg"].includes(file))) {
    const scores = await scoresOf(model, portrait, actionUnit);
    const r = pearson(scores.map((score, intensity) => ({ intensity, score })));
    expect(r, portrait.file).toBeGreaterThanOrEqual(0.7);
  }
});
