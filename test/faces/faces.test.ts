import { readFile } from "node:fs/promises";
import { type AuModel, createVisionEngine, type DetectedFace, type VisionEngine } from "@duchenne/vision";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clipFrames } from "./clip.ts";
import { scoreOf } from "./confusion-report.ts";
import { facesReport } from "./faces-report.ts";
import { labelledPhotographs, readPackaged } from "./photographs.ts";

let engine: VisionEngine;
let model: AuModel;
beforeAll(async () => {
  engine = createVisionEngine({ workers: 2 });
  model = await engine.load({ kind: "blendshape-au" });
});
afterAll(() => engine.close());

const THRESHOLD = 0.5;
const MATERIAL = "material-kit/assets/img";
const VOLT = "@themesberg/volt-bootstrap-5-dashboard/src/assets/img/team";
const smiles = [`${MATERIAL}/faces/christian.jpg`, `${VOLT}/profile-picture-3.jpg`];
const neutral = [`${MATERIAL}/faces/marc.jpg`, `${VOLT}/profile-picture-2.jpg`];

async function faceOn(image: Uint8Array): Promise<DetectedFace> {
  const { faces } = await model.run({ image, maxFaces: 1 });
  expect(faces.length).toBe(1);
  return faces[0]!;
}

describe("on real photographs", () => {
  it("smiles are smiles and closed, neutral mouths are none", async () => {
    for (const path of smiles)
      expect(scoreOf(await faceOn(await readPackaged(path)), 12)!, path).toBeGreaterThanOrEqual(THRESHOLD);
    for (const path of neutral)
      expect(scoreOf(await faceOn(await readPackaged(path)), 12)!, path).toBeLessThan(THRESHOLD);
  });

  it("raised brows are AU1 or AU2", async () => {
    const face = await faceOn(await readPackaged(`${VOLT}/profile-picture-1.jpg`));
    expect(Math.max(scoreOf(face, 1)!, scoreOf(face, 2)!)).toBeGreaterThanOrEqual(THRESHOLD);
  });

  it.each(["bg.jpg", "bg2.jpg", "bg3.jpg", "bg7.jpg", "city.jpg", "city-profile.jpg"])(
    "the landscape %s has no face",
    async (name) => {
      const { faces } = await model.run({ image: await readPackaged(`${MATERIAL}/${name}`), maxFaces: 8 });
      expect(faces).toEqual([]);
    },
  );

  it("the report in docs/faces.md is what the model says today", async () => {
    const written = await readFile(new URL("../../docs/faces.md", import.meta.url), "utf8");
    const report = await facesReport(model);
    // Every word and every decision; activations to two hundredths, as processors round.
    const activation = /\b\d\.\d\d\b/g;
    expect(report.replace(activation, "#")).toBe(written.replace(activation, "#"));
    const numbers = (text: string) => text.match(activation)!.map(Number);
    for (const [i, value] of numbers(report).entries())
      expect(Math.abs(value - numbers(written)[i]!)).toBeLessThan(0.021);
  });
});

const changes: [string, (image: Sharp, width: number) => Sharp][] = [
  ["mirrored", (image) => image.flop()],
  ["turned by 10 degrees", (image) => image.rotate(10, { background: "#808080" })],
  ["turned by -10 degrees", (image) => image.rotate(-10, { background: "#808080" })],
  ["at half its size", (image, width) => image.resize(Math.round(width / 2))],
  ["at twice its size", (image, width) => image.resize(2 * width)],
  ["25 % brighter", (image) => image.linear(1.25, 0)],
  ["25 % darker", (image) => image.linear(0.75, 0)],
];

// Every face whose smile or resting mouth was labelled; the strict profile of profile-picture-6 is not found at all.
const { photographs } = await labelledPhotographs();
const labelled = photographs
  .filter(({ path, labels }) => labels.get(12) !== null && !path.endsWith("profile-picture-6.jpg"))
  .map(({ path, labels }) => ({ path, smiles: labels.get(12) === 1 }));

describe.each(labelled)("the decision on $path", ({ path, smiles: isSmile }) => {
  it.each(changes)("holds %s", async (_, change) => {
    const image = await readPackaged(path);
    const { width } = await sharp(image).metadata();
    const face = await faceOn(await change(sharp(image), width).png().toBuffer());
    expect(scoreOf(face, 12)! >= THRESHOLD).toBe(isSmile);
  });

  it("exchanges left and right when mirrored", async () => {
    const image = await readPackaged(path);
    const mirrored = await faceOn(await sharp(image).flop().png().toBuffer());
    const straight = await faceOn(image);
    const sideOf = (face: DetectedFace, side: "left" | "right") =>
      face.scores.find((each) => each.actionUnit === 12 && each.side === side)!.score;
    expect(Math.abs(sideOf(straight, "left") - sideOf(mirrored, "right"))).toBeLessThan(0.1);
    expect(Math.abs(sideOf(straight, "right") - sideOf(mirrored, "left"))).toBeLessThan(0.1);
  });
});

describe("on a clip of a face that begins to smile", () => {
  it("AU12 is absent in the first half second and present within two", async () => {
    const frameRateHz = 10;
    const frames = await clipFrames(frameRateHz, 2);
    expect(frames.length).toBe(20);
    const present: boolean[] = [];
    for (const frame of frames) present.push(scoreOf(await faceOn(frame), 12)! >= THRESHOLD);
    expect(present.slice(0, frameRateHz / 2)).toEqual(Array(frameRateHz / 2).fill(false));
    expect(present).toContain(true);
  });
});
