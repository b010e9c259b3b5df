import { describe, expect, it } from "vitest";
import { IMAGENET_MEAN, normaliseImage, type RgbImage, resizeImage } from "../image.ts";
import { createRandom } from "../random.ts";
import { applyAugmentation, augmentPixels, mirrorImage } from "./apply-augmentation.ts";
import { AUGMENTATIONS, type Augmentation, augmentationSchema } from "./augmentation.ts";
import { FILL, OPERATION_NAMES, OPERATIONS, type OperationName } from "./operation.ts";
import { type AugmentationPlan, augmentationRandom, planAugmentation } from "./plan-augmentation.ts";

const SIZE = 24;
const image = randomImage(37, 29);

function randomImage(width: number, height: number): RgbImage {
  const random = createRandom([width, height]);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)) };
}
function planOf(augmentation: Augmentation, sample = 0, epoch = 0): AugmentationPlan {
  return planAugmentation(augmentation, image, SIZE, augmentationRandom(7, epoch, sample));
}
function augmented(plan: AugmentationPlan): Float32Array {
  const out = new Float32Array(3 * SIZE * SIZE);
  applyAugmentation(image, plan, SIZE, out);
  return out;
}

describe("augmentationSchema", () => {
  it("writes a name out", () => {
    expect(augmentationSchema.parse("paper")).toEqual({
      crop: { kind: "random", area: [0.08, 1], aspect: [3 / 4, 4 / 3], filter: "bicubic" },
      flip: 0.5,
      randAugment: { operations: 2, probability: 0.5, magnitude: 9, magnitudeStd: 0.5 },
      randomErasing: { probability: 0.25, area: [0.02, 1 / 3], aspect: [0.3, 1 / 0.3] },
    });
  });
  it.each(Object.values(AUGMENTATIONS))("reads what it wrote", (augmentation) => {
    expect(augmentationSchema.parse(JSON.parse(JSON.stringify(augmentation)))).toEqual(augmentation);
  });
  it.each([
    ["an unknown name", "strong"],
    ["an unknown field", { crop: { kind: "whole" }, flop: 0.5 }],
    ["a probability above 1", { crop: { kind: "whole" }, flip: 1.5 }],
    ["a range upside down", { crop: { kind: "random", area: [1, 0.08] } }],
  ])("refuses %s", (_, input) => {
    expect(augmentationSchema.safeParse(input).success).toBe(false);
  });
});

describe("a plan", () => {
  it("is a function of seed, epoch and sample", () => {
    expect(planOf(AUGMENTATIONS.paper, 3, 1)).toEqual(planOf(AUGMENTATIONS.paper, 3, 1));
    expect(planOf(AUGMENTATIONS.paper, 3, 1)).not.toEqual(planOf(AUGMENTATIONS.paper, 3, 2));
    expect(planOf(AUGMENTATIONS.paper, 3, 1)).not.toEqual(planOf(AUGMENTATIONS.paper, 4, 1));
  });

  it("draws as often as configured", () => {
    const plans = Array.from({ length: 8000 }, (_, sample) => planOf(AUGMENTATIONS.paper, sample));
    const share = (holds: (plan: AugmentationPlan) => boolean) => plans.filter(holds).length / plans.length;
    expect(share(({ flip }) => flip)).toBeCloseTo(0.5, 1);
    expect(share(({ erasing }) => erasing !== undefined)).toBeCloseTo(0.25, 1);
    expect(share(({ operations }) => operations.length === 2)).toBeCloseTo(0.25, 1);
    expect(share(({ operations }) => operations.length === 0)).toBeCloseTo(0.25, 1);
    const drawn = plans.flatMap(({ operations }) => operations.map(({ name }) => name));
    for (const name of OPERATION_NAMES) {
      expect(drawn.filter((each) => each === name).length / drawn.length).toBeCloseTo(1 / 15, 1);
    }
  });

  it("keeps crops and erased rectangles inside of their images", () => {
    for (let sample = 0; sample < 2000; sample++) {
      const { crop, erasing } = planOf(AUGMENTATIONS.paper, sample);
      expect(crop!.left + crop!.width).toBeLessThanOrEqual(image.width);
      expect(crop!.top + crop!.height).toBeLessThanOrEqual(image.height);
      if (erasing === undefined) continue;
      expect(erasing.left + erasing.width).toBeLessThanOrEqual(SIZE);
      expect(erasing.top + erasing.height).toBeLessThanOrEqual(SIZE);
    }
  });
});

describe("applying a plan", () => {
  it('of "none" is resizing and normalising', () => {
    expect(augmented(planOf(AUGMENTATIONS.none))).toEqual(normaliseImage(resizeImage(image, SIZE, SIZE)));
  });

  it("leaves the image as it is", () => {
    const before = image.data.slice();
    for (let sample = 0; sample < 100; sample++) augmented(planOf(AUGMENTATIONS.paper, sample));
    const square = { ...planOf(AUGMENTATIONS.flip), flip: true };
    augmentPixels(randomImage(SIZE, SIZE), square, SIZE);
    expect(image.data).toEqual(before);
  });

  it("flips after resizing", () => {
    const plan = planOf(AUGMENTATIONS.flip);
    const flipped = augmentPixels(image, { ...plan, flip: true }, SIZE);
    expect(mirrorImage(flipped)).toEqual(augmentPixels(image, { ...plan, flip: false }, SIZE));
  });

  it("erases one rectangle with standard normal noise, after normalising", () => {
    const noNoise = planOf(AUGMENTATIONS.none);
    const plan: AugmentationPlan = {
      ...noNoise,
      erasing: { left: 3, top: 5, width: 18, height: 17, noise: [1, 2, 3, 4] },
    };
    const before = augmented(noNoise);
    const after = augmented(plan);
    const noise: number[] = [];
    for (const [i, value] of after.entries()) {
      const x = i % SIZE;
      const y = Math.floor(i / SIZE) % SIZE;
      if (x >= 3 && x < 21 && y >= 5 && y < 22) noise.push(value);
      else expect(value).toBe(before[i]);
    }
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(noise.length));
    expect(variance).toBeCloseTo(1, 0);
    expect(augmented(plan)).toEqual(after);
  });
});

describe("an operation", () => {
  it.each<[OperationName, number]>([
    ["Rotate", 0],
    ["Posterize", 8],
    ["Solarize", 256],
    ["SolarizeAdd", 0],
    ["Color", 1],
    ["Contrast", 1],
    ["Brightness", 1],
    ["Sharpness", 1],
    ["ShearX", 0],
    ["ShearY", 0],
    ["TranslateXRel", 0],
    ["TranslateYRel", 0],
  ])("%s of %d changes nothing", (name, argument) => {
    expect(OPERATIONS[name].apply(image, argument)).toEqual(image);
  });

  it("inverting twice changes nothing", () => {
    expect(OPERATIONS.Invert.apply(OPERATIONS.Invert.apply(image, 0), 0)).toEqual(image);
  });

  it("moving shows ImageNet's mean", () => {
    expect(FILL).toEqual(IMAGENET_MEAN.map((mean) => Math.round(255 * mean)));
    const { data } = OPERATIONS.TranslateXRel.apply(image, 10 / 37);
    expect([...data.subarray(27 * 3, 28 * 3)]).toEqual([...FILL]);
    expect([...data.subarray(0, 27 * 3)]).toEqual([...image.data.subarray(10 * 3, 37 * 3)]);
  });
});
