import { AUGMENTATIONS, type AugmentationName } from "@duchenne/data";
import { z } from "zod";

/** The changes that training images undergo, by the pipeline's name. */
export const augmentationNameSchema = z.enum(Object.keys(AUGMENTATIONS) as [AugmentationName, ...AugmentationName[]]);
