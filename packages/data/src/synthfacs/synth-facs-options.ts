import { z } from "zod";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "../protocols/action-unit-protocol.ts";

/** What a SynthFACS data set is made from. */
export const synthFacsSchema = z.object({
  seed: z.int().nonnegative(),
  /** With a protocol, at least one a fold and at most those of its published list: `chooseProtocolSubjects` checks it. */
  subjects: z.int().min(2).max(10_000),
  framesPerSubject: z.int().min(1).max(10_000),
  /** Side of the square images, in pixels. */
  imageSize: z.int().min(32).max(512),
  /** 0: base rates are the same for all subjects; 1: strongly a matter of the subject. */
  identityShortcut: z.number().min(0).max(1),
  /** The published data set whose subjects, folds, prevalence and files it has; none: SynthFACS's own. */
  protocol: z.enum(Object.keys(ACTION_UNIT_PROTOCOLS) as [ActionUnitProtocolName]).optional(),
});
/** What a SynthFACS data set is made from. */
export type SynthFacsOptions = Readonly<z.infer<typeof synthFacsSchema>>;
