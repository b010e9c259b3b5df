import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cropFace, type RgbImage } from "../../image.ts";
import { openDataset } from "../../open-dataset.ts";
import { frameWith } from "../frame.ts";
import { headMesh } from "../mesh/head-mesh.ts";
import { renderLabelledFace } from "../render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { FACE_OVAL_CONVENTION } from "../synthesize-dataset.ts";
import { createPhotoFrame, photoFrameWith } from "./photo-frame.ts";
import { measurePortrait, type Portrait, portraitProblems, UnusablePortraitError } from "./portrait.ts";
import { renderPhoto } from "./render-photo.ts";
import { synthesizePhotos } from "./synthesize-photos.ts";

/** A "photograph" whose landmarks are known: a drawn face with head and shoulders. */
async function drawnPortrait(
  subject: number,
  aus: Record<number, number> = {},
  turn = { yaw: 0, pitch: 0 },
): Promise<Portrait> {
  const frame = { ...frameWith(aus), ...turn };
  const drawn = await renderLabelledFace(createSyntheticSubject(1, subject, 0), frame, {
    size: 320,
    framing: "portrait",
    noiseSeed: [0],
  });
  // MediaPipe's depth grows away from the camera.
  const landmarks = drawn.landmarks.map((value, i) => (i % 3 === 2 ? -value : value));
  return { subject: `person-${subject}`, file: `person-${subject}.png`, image: drawn.image, landmarks };
}

let somebody: Portrait;
let turned: Portrait;
beforeAll(async () => {
  somebody = await drawnPortrait(1);
  turned = await drawnPortrait(2, {}, { yaw: 18, pitch: -8 });
});

const render = (portrait: Portrait, aus: Record<number, number>, size = 128) =>
  renderPhoto(portrait, photoFrameWith(aus), { size, noiseSeed: [1] });

/** Mean difference of two pictures, in levels. */
function apart({ data }: RgbImage, other: RgbImage): number {
  return data.reduce((sum, value, i) => sum + Math.abs(value - other.data[i]!), 0) / data.length;
}

describe("a portrait without action units", () => {
  it.each([["frontal"], ["turned"]])("stays as it is, but for resampling: %s", async (which) => {
    const portrait = which === "frontal" ? somebody : turned;
    const { image } = await render(portrait, {}, 128);
    const xs = portrait.landmarks.subarray(0, 3 * 468).filter((_, i) => i % 3 === 0);
    const ys = portrait.landmarks.subarray(0, 3 * 468).filter((_, i) => i % 3 === 1);
    const box = { left: Math.min(...xs), top: Math.min(...ys), width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) }; // biome-ignore format: one line
    const crop = cropFace(portrait.image, box, { size: 128 });
    // What half a pixel of the photograph is worth: the warp is more exact, though cropFace rounds to whole pixels.
    const aside = cropFace(portrait.image, { ...box, left: box.left + 0.5, top: box.top + 0.5 }, { size: 128 });
    expect(apart(image, crop)).toBeLessThan(0.5 * apart(aside, crop));
  });

  it("has its landmarks where they were found", async () => {
    const { landmarks, box } = await render(turned, {});
    const scale = 128 / 1.1 / (Math.max(...xs(turned.landmarks)) - Math.min(...xs(turned.landmarks)));
    const from = Math.min(...xs(turned.landmarks));
    for (const landmark of [1, 33, 263, 61, 291, 152, 468, 473]) {
      expect(landmarks[3 * landmark]!).toBeCloseTo(box.left + (turned.landmarks[3 * landmark]! - from) * scale, 2);
    }
  });
});

const xs = (landmarks: Float32Array) => landmarks.subarray(0, 3 * 468).filter((_, i) => i % 3 === 0);

/** Of each action unit: a landmark of the left half and where it goes in the picture: right, up. */
const MOVED: readonly [number, number, readonly [number, number]][] = [
  [1, 285, [0, 1]],
  [2, 283, [0, 1]],
  [4, 285, [-0.4, -1]],
  [5, 386, [0, 1]],
  [6, 347, [0, 1]],
  [7, 374, [0, 1]],
  [9, 358, [0, 1]],
  [10, 267, [0, 1]],
  [12, 291, [0.8, 1]],
  [14, 291, [1, 0]],
  [15, 291, [0, -1]],
  [17, 199, [0, 1]],
  [20, 291, [1, 0]],
  [23, 291, [-1, 0]],
  [24, 17, [0, 1]],
  [25, 14, [0, -1]],
  [26, 152, [0, -1]],
  [43, 386, [0, -1]],
];

describe("action units on a portrait", () => {
  it("are all tested", () => {
    expect(MOVED.map(([number]) => number)).toEqual(SYNTHFACS_ACTION_UNITS);
  });

  it.each(MOVED)(
    "AU%i moves landmark %i further with every step, and the picture with it",
    async (number, landmark, way) => {
      const neutral = await render(somebody, {}, 64);
      // Beside what no action unit moves, since a dropped jaw changes the crop; in widths of the face.
      const place = ({ landmarks }: { readonly landmarks: Float32Array }) => {
        const at = (which: number, c: number) => landmarks[3 * which + c]! - landmarks[3 * 5 + c]!;
        const [wide, tall] = [
          landmarks[3 * 454]! - landmarks[3 * 234]!,
          landmarks[3 * 5 + 1]! - landmarks[3 * 10 + 1]!,
        ];
        return [at(landmark, 0) / wide, -at(landmark, 1) / tall] as const;
      };
      const from = place(neutral);
      let moved = 0;
      let changed = 0;
      for (const intensity of [1, 3, 5]) {
        const rendered = await render(somebody, { [number]: intensity }, 64);
        const to = place(rendered);
        const gone = (to[0] - from[0]) * way[0] + (to[1] - from[1]) * way[1];
        expect(gone).toBeGreaterThan(moved + 0.002);
        expect(apart(rendered.image, neutral.image)).toBeGreaterThan(changed);
        moved = gone;
        changed = apart(rendered.image, neutral.image);
      }
    },
  );

  it("leave the other half of the face alone when they are one-sided", async () => {
    const both = photoFrameWith({ 12: 4 });
    const left = { ...both, right: both.right.map(() => 0) };
    const { landmarks } = await renderPhoto(somebody, left, { size: 128, noiseSeed: [1] });
    const neutral = (await render(somebody, {})).landmarks;
    const moved = (landmark: number) => Math.abs(landmarks[3 * landmark + 1]! - neutral[3 * landmark + 1]!);
    expect(moved(291)).toBeGreaterThan(4);
    expect(moved(61)).toBeLessThan(0.5);
  });
});

describe("a mirrored portrait", () => {
  it("gives the mirrored picture when the sides are exchanged", async () => {
    const drawn = photoFrameWith({ 1: 3, 6: 4, 12: 4, 25: 3, 43: 2 });
    const frame = { ...drawn, left: drawn.left.map((intensity, i) => (i % 2 === 0 ? intensity : 0)), yaw: 4, roll: 5 };
    const straight = await renderPhoto(turned, frame, { size: 128, noiseSeed: [1] });
    const exchanged = { ...frame, left: frame.right, right: frame.left, yaw: -4, roll: -5 };
    const other = await renderPhoto(mirroredPortrait(turned), exchanged, { size: 128, noiseSeed: [1] });
    const unmoved = await render(turned, {});
    const difference = apart(mirrored(other.image), straight.image);
    // Triangles are not split alike on both sides; all else is the same.
    expect(difference).toBeLessThan(1);
    expect(apart(straight.image, unmoved.image)).toBeGreaterThan(10 * difference);
    expect(other.pose.yaw).toBeCloseTo(-straight.pose.yaw, 2);
    expect(other.pose.pitch).toBeCloseTo(straight.pose.pitch, 2);
  });
});

function mirrored({ width, height, data }: RgbImage): RgbImage {
  const to = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    const x = pixel % width;
    to[3 * (pixel - x + width - 1 - x) + (i % 3)] = data[i]!;
  }
  return { width, height, data: to };
}

function mirroredPortrait(portrait: Portrait): Portrait {
  const { image } = portrait;
  const { mirror } = headMesh();
  const landmarks = new Float32Array(portrait.landmarks.length);
  // Irises: centre, left, top, right, bottom; the right eye's come first.
  const iris = [473, 476, 475, 474, 477, 468, 471, 470, 469, 472];
  for (let i = 0; i < 478; i++) {
    const from = 3 * (i < 468 ? mirror[i]! : iris[i - 468]!);
    landmarks.set([image.width - portrait.landmarks[from]!, portrait.landmarks[from + 1]!, portrait.landmarks[from + 2]!], 3 * i); // biome-ignore format: one line
  }
  return { ...portrait, image: mirrored(image), landmarks };
}

describe("portraits that cannot be used", () => {
  it("are told with what was measured", async () => {
    const opened = await drawnPortrait(1, { 25: 5, 26: 4 });
    const closed = await drawnPortrait(1, { 43: 5 });
    const away = await drawnPortrait(1, {}, { yaw: 48, pitch: 0 });
    const small = { ...somebody, landmarks: somebody.landmarks.map((value) => value / 4) };
    expect(portraitProblems(somebody)).toEqual([]);
    expect(portraitProblems(turned)).toEqual([]);
    expect(portraitProblems(opened)).toEqual([
      expect.stringMatching(/closed mouth, got lips 0\.\d{3} of the mouth's width apart/),
    ]);
    expect(portraitProblems(closed)).toEqual([
      expect.stringMatching(/open eyes, got lids 0\.\d{3} of the eye's width apart/),
    ]);
    expect(portraitProblems(away)).toEqual([expect.stringMatching(/at most 35 degrees to the side, got \d\d degrees/)]);
    expect(portraitProblems(small)).toEqual([expect.stringMatching(/at least 64 pixels wide, got \d\d$/)]);
    expect(portraitProblems({ landmarks: new Float32Array(9) })).toEqual([expect.stringContaining("478 landmarks")]);
  });

  it("have their pose measured as frames have it", async () => {
    const { yaw, pitch } = measurePortrait(turned);
    expect(Math.abs(yaw - 18)).toBeLessThan(4);
    expect(Math.abs(pitch + 8)).toBeLessThan(4);
  });
});

describe("synthesizePhotos", () => {
  const options = { seed: 3, framesPerSubject: 3, imageSize: 48, identityShortcut: 0 };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "duchenne-photos-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a data set that opens with the labels it drew, of several portraits of a person", async () => {
    const portraits = [somebody, { ...turned, subject: somebody.subject, file: "again.png" }, turned];
    await synthesizePhotos(join(folder, "set"), portraits, options);
    const dataset = await openDataset(join(folder, "set"));
    expect(dataset.subjects).toEqual(["person-1", "person-2"]);
    expect(dataset.samples).toHaveLength(6);
    expect(dataset.boxConvention).toBe(FACE_OVAL_CONVENTION);
    const { baseRates } = createSyntheticSubject(3, 1, 0);
    const frame = createPhotoFrame(3, { name: "person-2", baseRates }, 1);
    expect([...dataset.samples[4]!.intensity]).toEqual(frame.intensities.map(Math.fround));
  });

  it("has the same digest for the same seed, another for another", async () => {
    const digests: string[] = [];
    for (const [name, seed] of [
      ["a", 3],
      ["b", 3],
      ["c", 4],
    ] as const) {
      // biome-ignore format: pairs
      await synthesizePhotos(join(folder, name), [somebody], { ...options, seed });
      digests.push((await openDataset(join(folder, name))).digest);
    }
    expect(digests[0]).toBe(digests[1]);
    expect(digests[2]).not.toBe(digests[0]);
  });

  it("names every portrait that cannot be used, and writes nothing", async () => {
    const opened = await drawnPortrait(1, { 25: 5, 26: 4 });
    const small = { ...somebody, file: "small.png", landmarks: somebody.landmarks.map((value) => value / 4) };
    const made = synthesizePhotos(join(folder, "set"), [somebody, { ...opened, file: "open.png" }, small], options);
    const error = await made.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnusablePortraitError);
    expect((error as UnusablePortraitError).violations.map(({ field }) => field)).toEqual(["open.png", "small.png"]);
    await expect(synthesizePhotos(join(folder, "none"), [], options)).rejects.toThrow("Expected at least one");
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves nothing behind when aborted", async () => {
    const abort = new AbortController();
    const control = { signal: abort.signal, onProgress: (done: number) => done === 2 && abort.abort() };
    await expect(synthesizePhotos(join(folder, "set"), [somebody, turned], options, control)).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});
