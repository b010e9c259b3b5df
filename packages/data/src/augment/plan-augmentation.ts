import type { Box } from "../image.ts";
import { createRandom, type Random } from "../random.ts";
import type { Augmentation } from "./augmentation.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "./operation.ts";
import { drawErasing, type Erasing } from "./random-erasing.ts";
import { drawCrop } from "./random-resized-crop.ts";
import type { ResampleFilter } from "./resample.ts";

/** What was drawn for one image: applying it is a pure function of the image. */
export interface AugmentationPlan {
  /** Undefined: the whole image. */
  readonly crop: Box | undefined;
  readonly filter: ResampleFilter;
  readonly flip: boolean;
  /** In the order in which they are applied. */
  readonly operations: readonly PlannedOperation[];
  readonly erasing: Erasing | undefined;
}

/** An operation and what it is given (see `OPERATIONS` for its unit). */
export interface PlannedOperation {
  readonly name: OperationName;
  readonly argument: number;
}

/** The stream of random numbers of one sample in one epoch: it depends on nothing else, such as workers or resuming. */
export function augmentationRandom(seed: number, epoch: number, sampleIndex: number): Random {
  return createRandom([seed, "augmentation", epoch, sampleIndex]);
}

/** Draws what happens to an image of some size that becomes `imageSize` x `imageSize`. */
export function planAugmentation(
  { crop, flip, randAugment, randomErasing }: Augmentation,
  image: { readonly width: number; readonly height: number },
  imageSize: number,
  random: Random,
): AugmentationPlan {
  return {
    crop: crop.kind === "random" ? drawCrop(image, crop, random) : undefined,
    filter: crop.filter,
    flip: happens(flip, random),
    operations: randAugment === undefined ? [] : drawOperations(randAugment, random),
    erasing:
      randomErasing !== undefined && happens(randomErasing.probability, random)
        ? drawErasing(imageSize, randomErasing, random)
        : undefined,
  };
}

function drawOperations(
  { operations, probability, magnitude, magnitudeStd }: NonNullable<Augmentation["randAugment"]>,
  random: Random,
): PlannedOperation[] {
  const planned: PlannedOperation[] = [];
  for (let i = 0; i < operations; i++) {
    const name = OPERATION_NAMES[random.integer(OPERATION_NAMES.length)]!;
    if (!happens(probability, random)) continue;
    const drawn = Math.min(Math.max(magnitude + magnitudeStd * random.normal(), 0), 10);
    planned.push({ name, argument: OPERATIONS[name].argument(drawn, random) });
  }
  return planned;
}

function happens(probability: number, random: Random): boolean {
  return random.uniform() < probability;
}
