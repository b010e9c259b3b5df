import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSyntheticSubject, frameWith, renderLabelledFace, UnusablePortraitError } from "@duchenne/data";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AuModel } from "../au-model.ts";
import { createVisionEngine, type VisionEngine } from "../vision-engine.ts";
import { readPortraits } from "./read-portraits.ts";

let engine: VisionEngine;
let model: AuModel;
let folder: string;
beforeAll(async () => {
  engine = createVisionEngine({ workers: 1 });
  model = await engine.load({ kind: "blendshape-au" });
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-portraits-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A drawn face as a PNG. */
async function drawn(aus: Record<number, number> = {}, size = 256): Promise<Buffer> {
  const { image } = await renderLabelledFace(createSyntheticSubject(1, 1, 0), frameWith(aus), {
    size,
    framing: "portrait",
    noiseSeed: [0],
  });
  const { data, width, height } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

describe("a folder of portraits", () => {
  it("names people as files, or as the folders that their files are in", async () => {
    await mkdir(join(folder, "bert"));
    const neutral = await drawn();
    await writeFile(join(folder, "anna.png"), neutral);
    await writeFile(join(folder, "bert", "2.PNG"), neutral);
    await writeFile(join(folder, "bert", "1.png"), neutral);
    await writeFile(join(folder, "notes.txt"), "nothing to see");
    const { portraits, notes } = await readPortraits(folder, model);
    expect(portraits.map(({ subject, file }) => [subject, file])).toEqual([
      ["anna", "anna.png"],
      ["bert", "bert/1.png"],
      ["bert", "bert/2.PNG"],
    ]);
    expect(portraits[0]!.landmarks).toHaveLength(478 * 3);
    expect(portraits[0]!.image).toMatchObject({ width: 256, height: 256 });
    expect(notes).toEqual([]);
  });

  it("notes an expression that is not neutral", async () => {
    await writeFile(join(folder, "smile.png"), await drawn({ 12: 5 }));
    const { portraits, notes } = await readPortraits(folder, model);
    expect(portraits).toHaveLength(1);
    expect(notes).toContainEqual({
      file: "smile.png",
      description: expect.stringMatching(/^does not look neutral: AU12 scores 0\.\d\d$/),
    });
  });

  it("tells every file that cannot be used, and why", async () => {
    const neutral = await drawn();
    const pair = await sharp({ create: { width: 512, height: 256, channels: 3, background: "#808080" } })
      .composite([
        { input: neutral, left: 0, top: 0 },
        { input: neutral, left: 256, top: 0 },
      ])
      .png()
      .toBuffer();
    const empty = await sharp({ create: { width: 200, height: 200, channels: 3, background: "#446688" } })
      .png()
      .toBuffer();
    const files = {
      "damaged.png": neutral.subarray(0, neutral.length / 2),
      "good.png": neutral,
      "nobody.png": empty,
      "open.png": await drawn({ 25: 5, 26: 5 }),
      "text.jpg": Buffer.from("no image"),
      "tiny.png": await drawn({}, 100),
      "two.png": pair,
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const error = (await readPortraits(folder, model).catch((thrown: unknown) => thrown)) as UnusablePortraitError;
    expect(error).toBeInstanceOf(UnusablePortraitError);
    expect(error.violations.map(({ field, description }) => `${field}: ${description}`)).toEqual([
      expect.stringMatching(/^damaged\.png: The png image is damaged/),
      "nobody.png: Expected one face, found none",
      expect.stringMatching(/^open\.png: Expected a closed mouth, got lips 0\.\d{3}/),
      "text.jpg: Expected a JPEG, PNG or WebP image, got bytes of another kind",
      expect.stringMatching(/^tiny\.png: Expected a face at least 64 pixels wide, got \d\d$/),
      "two.png: Expected one face, found 2",
    ]);
  });

  it("tells when there is no portrait, or no folder", async () => {
    await expect(readPortraits(folder, model)).rejects.toThrow("Expected JPEG, PNG or WebP files");
    await expect(readPortraits(join(folder, "none"), model)).rejects.toThrow("ENOENT");
  });
});
