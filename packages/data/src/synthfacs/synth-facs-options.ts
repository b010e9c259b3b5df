import { z } from "zod";

/** What a SynthFACS data set is made from. */
export const synthFacsSchema = z.object({
  seed: z.int().nonnegative(),
  subjects: z.int().min(2).max(10_000),
  framesPerSubject: z.int().min(1).max(10_000),
  /** Side of the square images, in pixels. */
  imageSize: z.int().min(32).max(512),
  /** 0: base rates are the same for all subjects; 1: strongly a matter of the subject. */
  identityShortcut: z.number().min(0).max(1),
});
/** What a SynthFACS data set is made from. */
export type SynthFacsOptions = z.infer<typeof synthFacsSchema>;
