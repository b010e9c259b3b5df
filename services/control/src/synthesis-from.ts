import {
  ACTION_UNIT_PROTOCOLS,
  type ActionUnitProtocolName,
  protocolSubjectRange,
  type SynthFacsOptions,
  synthFacsSchema,
} from "@duchenne/data";
import type { SynthesizeDatasetRequest } from "@duchenne/proto";
import { datasetFormat } from "./describe-dataset.ts";
import { InvalidFieldError } from "./invalid-field-error.ts";

/** Thrown when a synthesis asks for fewer or more subjects than there can be. */
export class SubjectsOutOfRangeError extends InvalidFieldError {
  readonly reason = "SUBJECTS_OUT_OF_RANGE";

  constructor(expected: string, actual: number) {
    super("subjects", `Expected ${expected}, got ${actual}`);
  }
}

/**
 * What a request asks to draw.
 *
 * @throws {SubjectsOutOfRangeError}
 */
export function synthesisFrom(request: SynthesizeDatasetRequest): SynthFacsOptions {
  const { framesPerSubject, imageSize, identityShortcut } = request;
  const format = datasetFormat(request.protocol);
  const protocol = format in ACTION_UNIT_PROTOCOLS ? (format as ActionUnitProtocolName) : undefined;
  return synthFacsSchema.parse({
    seed: Number(request.seed),
    subjects: subjectCount(request.subjects, protocol),
    framesPerSubject,
    imageSize,
    identityShortcut,
    protocol,
  });
}

function subjectCount(asked: number, protocol: ActionUnitProtocolName | undefined): number {
  if (protocol === undefined) {
    if (asked === 0) throw new SubjectsOutOfRangeError("at least 2 subjects", asked);
    return asked;
  }
  const { least, most } = protocolSubjectRange(protocol);
  const count = asked === 0 ? most : asked;
  if (count >= least && count <= most) return count;
  throw new SubjectsOutOfRangeError(`${least} to ${most} subjects for ${protocol}, or 0 for all`, asked);
}
