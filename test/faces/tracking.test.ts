import { type AuModel, createVisionEngine, type Detection, FaceTracker, type VisionEngine } from "@duchenne/vision";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPackaged } from "./photographs.ts";

const FACES = ["christian", "marc", "kendall"].map((name) => `material-kit/assets/img/faces/${name}.jpg`);
const WIDTH = 640;
const HEIGHT = 400;

let engine: VisionEngine;
let model: AuModel;
let portraits: Buffer[];
beforeAll(async () => {
  engine = createVisionEngine({ workers: 1 });
  model = await engine.load({ kind: "blendshape-au" });
  portraits = await Promise.all(
    FACES.map(async (path) =>
      sharp(await readPackaged(path))
        .resize(240, 240, { fit: "cover" })
        .png()
        .toBuffer(),
    ),
  );
});
afterAll(() => engine.close());

interface Placed {
  /** Which portrait. */
  readonly who: number;
  readonly left: number;
  readonly top: number;
  readonly size?: number;
  /** Clockwise, in degrees. */
  readonly angle?: number;
}

/** A frame of a made-up video: portraits on a canvas, cut at its edges. */
async function frame(placed: readonly Placed[], change: (image: Sharp) => Sharp = (image) => image) {
  // A margin lets portraits stick out.
  const margin = 300;
  const input = await Promise.all(
    placed.map(async ({ who, left, top, size = 240, angle = 0 }) => {
      const rotated = sharp(portraits[who]!).resize(size, size).rotate(angle, { background: "#808080" });
      const { data, info } = await rotated.png().toBuffer({ resolveWithObject: true });
      return {
        input: data,
        left: Math.round(margin + left + (size - info.width) / 2),
        top: Math.round(margin + top + (size - info.height) / 2),
      };
    }),
  );
  const canvas = {
    width: WIDTH + 2 * margin,
    height: HEIGHT + 2 * margin,
    channels: 3,
    background: "#808080",
  } as const;
  const whole = await sharp({ create: canvas }).composite(input).png().toBuffer();
  const image = sharp(whole).extract({ left: margin, top: margin, width: WIDTH, height: HEIGHT });
  return change(image).png().toBuffer();
}

/** One stream: what is seen in each frame. */
function follow({ detectEvery = 1000, maxFaces = 8, memoryMs = 10_000 } = {}) {
  const tracker = new FaceTracker({ detectEvery, memoryMs });
  let frameTimeMs = 0;
  return async (image: Buffer) => {
    frameTimeMs += 33;
    const found = await model.find({ image, maxFaces, headPose: true, quality: true }, { tracker, frameTimeMs });
    const detection = await model.score(found);
    return { ...detection, ids: (found.faceIds ?? []).map(Number), searched: found.searched };
  };
}
const smile = ({ faces: [face] }: Detection) =>
  face!.scores.find(({ actionUnit, side }) => actionUnit === 12 && side === undefined)!.score;

describe("a face that is followed", () => {
  it("moves, grows and turns without being searched again, and keeps its id", async () => {
    const see = follow();
    expect(await see(await frame([{ who: 0, left: 100, top: 60 }]))).toMatchObject({ ids: [1], searched: true });
    for (let i = 1; i <= 12; i++) {
      const at = { who: 0, left: 100 + 16 * i, top: 60 + 4 * i, size: 240 + 4 * i, angle: 2.5 * i };
      const seen = await see(await frame([at]));
      expect(seen).toMatchObject({ ids: [1], searched: false });
      const box = seen.faces[0]!.box;
      const centre = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
      expect(Math.hypot(centre.x - at.left - at.size / 2, centre.y - at.top - at.size / 2)).toBeLessThan(60);
    }
  });

  it("scores as it does when it is searched in every frame", async () => {
    const [follows, searches] = [follow(), follow({ detectEvery: 1 })];
    for (let i = 0; i < 4; i++) {
      const image = await frame([{ who: 0, left: 120 + 8 * i, top: 70 }]);
      const [followed, searched] = [await follows(image), await searches(image)];
      expect([followed.searched, searched.searched]).toEqual([i === 0, true]);
      expect(Math.abs(smile(followed) - smile(searched))).toBeLessThan(0.1);
    }
  });

  it.each<[string, (image: Sharp) => Sharp]>([
    ["dimmed", (image) => image.linear(0.4, 0)],
    ["brightened", (image) => image.linear(1.3, 0)],
    ["blurred", (image) => image.blur(3)],
    ["in grey", (image) => image.grayscale()],
  ])("stays itself when the picture is %s", async (_, change) => {
    const see = follow();
    const at = [{ who: 1, left: 200, top: 80 }];
    expect((await see(await frame(at))).ids).toEqual([1]);
    for (let i = 0; i < 3; i++) expect(await see(await frame(at, change))).toMatchObject({ ids: [1], searched: false });
  });

  it("is searched for at once when it jumps, and gets a new id where nobody was", async () => {
    const see = follow();
    expect((await see(await frame([{ who: 0, left: 0, top: 60 }]))).ids).toEqual([1]);
    expect(await see(await frame([{ who: 0, left: 390, top: 60 }]))).toMatchObject({ ids: [2], searched: true });
  });

  it("goes over the border and comes back as the same", async () => {
    const see = follow();
    const seen: number[][] = [];
    for (const left of [0, -30, -60, -90, -300, -300, -90, -60, -30, 0]) {
      seen.push((await see(await frame([{ who: 0, left, top: 80 }]))).ids);
    }
    expect(seen[4]).toEqual([]);
    expect(seen.slice(0, 3)).toEqual([[1], [1], [1]]);
    expect(seen.slice(7)).toEqual([[1], [1], [1]]);
  });

  it("is another when it comes back after it was forgotten", async () => {
    const see = follow({ memoryMs: 50 });
    const at = [{ who: 0, left: 100, top: 60 }];
    await see(await frame(at));
    for (let i = 0; i < 3; i++) await see(await frame([]));
    expect((await see(await frame(at))).ids).toEqual([2]);
  });
});

describe("several faces", () => {
  it("are told apart while they move, and a new one is found by the next search", async () => {
    const see = follow({ detectEvery: 3 });
    const ids: number[][] = [];
    const searched: boolean[] = [];
    for (let i = 0; i < 7; i++) {
      const placed = [
        { who: 0, left: 10 + 5 * i, top: 30, size: 200 },
        { who: 1, left: 420 - 5 * i, top: 100, size: 190 },
        ...(i >= 4 ? [{ who: 2, left: 235, top: 230, size: 150 }] : []),
      ];
      const seen = await see(await frame(placed));
      ids.push([...seen.ids].sort((a, b) => a - b));
      searched.push(seen.searched);
    }
    expect(searched).toEqual([true, false, false, true, false, false, true]);
    expect(ids).toEqual([...Array.from({ length: 6 }, () => [1, 2]), [1, 2, 3]]);
  });

  it("are no more than asked for, and the one that is followed stays", async () => {
    const see = follow({ detectEvery: 2, maxFaces: 1 });
    const first = { who: 0, left: 20, top: 60, size: 220 };
    expect((await see(await frame([first]))).ids).toEqual([1]);
    for (let i = 0; i < 4; i++) {
      const seen = await see(await frame([first, { who: 0, left: 350, top: 60, size: 250 }]));
      expect(seen.ids).toEqual([1]);
    }
  });
});

describe("faces are found", () => {
  const detect = async (image: Buffer) =>
    (await model.run({ image, maxFaces: 4, headPose: true, quality: true })).faces;

  it.each([96, 120, 200, 400])("of a portrait %i pixels wide on a canvas of 640x400", async (size) => {
    const faces = await detect(await frame([{ who: 0, left: 120, top: 0, size }]));
    expect(faces.length).toBe(1);
  });
  it.each([-30, -15, 15, 30])("tilted by %i degrees, and the pose says so", async (angle) => {
    const faces = await detect(await frame([{ who: 1, left: 200, top: 80, angle }]));
    const [upright] = await detect(await frame([{ who: 1, left: 200, top: 80 }]));
    expect(faces.length).toBe(1);
    expect(Math.abs(faces[0]!.headPose!.roll - upright!.headPose!.roll - angle)).toBeLessThan(6);
  });
  it("mirrored, with yaw and roll of the other sign", async () => {
    for (const who of [0, 1, 2]) {
      const image = await frame([{ who, left: 200, top: 80 }]);
      const [straight] = await detect(image);
      const [mirrored] = await detect(await sharp(image).flop().png().toBuffer());
      const [p, q] = [straight!.headPose!, mirrored!.headPose!];
      expect(Math.abs(p.yaw + q.yaw)).toBeLessThan(6);
      expect(Math.abs(p.roll + q.roll)).toBeLessThan(4);
      expect(Math.abs(p.pitch - q.pitch)).toBeLessThan(6);
    }
  });
  it("by one model are prepared for another as they are, without a search", async () => {
    const image = await frame([
      { who: 0, left: 20, top: 30, size: 200 },
      { who: 1, left: 400, top: 80, size: 220, angle: 10 },
    ]);
    const first = await model.find({ image, maxFaces: 2 });
    const again = await model.find({ image, maxFaces: 2, faces: first.faces });
    expect([first.searched, again.searched]).toEqual([true, false]);
    expect(again.faces.map(({ box, input }) => ({ box, input }))).toEqual(
      first.faces.map(({ box, input }) => ({ box, input })),
    );
  });
  it("cut at the border, whose quality says how much is seen", async () => {
    const [whole] = await detect(await frame([{ who: 0, left: 200, top: 80 }]));
    const [cut] = await detect(await frame([{ who: 0, left: -105, top: 80 }]));
    expect(whole!.quality!.inside).toBe(1);
    expect(cut!.quality!.inside).toBeLessThan(1);
    expect(cut!.quality!.inside).toBeGreaterThan(0.4);
  });
  it("dimmed and blurred, whose quality says so", async () => {
    const at = [{ who: 0, left: 200, top: 80 }];
    const [clear] = await detect(await frame(at));
    const [dim] = await detect(await frame(at, (image) => image.linear(0.4, 0)));
    const [blurred] = await detect(await frame(at, (image) => image.blur(3)));
    expect(dim!.quality!.brightness / clear!.quality!.brightness).toBeCloseTo(0.4, 1);
    expect(blurred!.quality!.sharpness).toBeLessThan(0.2 * clear!.quality!.sharpness);
    expect(blurred!.quality!.sizePx).toBeGreaterThan(0.8 * clear!.quality!.sizePx);
  });
});
