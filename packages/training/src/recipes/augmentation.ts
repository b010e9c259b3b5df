import { z } from "zod";

/** The changes that training images undergo. */
export const augmentationNameSchema = z.enum(["none", "flip", "paper"]);
/** The changes that training images undergo. */
export type AugmentationName = z.output<typeof augmentationNameSchema>;
