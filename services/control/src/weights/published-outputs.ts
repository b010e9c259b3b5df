import { ACTION_UNIT_PROTOCOLS, EXPRESSION_PROTOCOLS } from "@duchenne/data";
import type { HeadOptions } from "@duchenne/model";
import type { ImportOptions } from "@duchenne/proto";
import { datasetFormat } from "../describe-dataset.ts";

/** The outputs of a model of a published data set; undefined when no protocol is named. */
export function publishedOutputs({
  protocol,
}: Pick<ImportOptions, "protocol">): Pick<HeadOptions, "actionUnits" | "expressions"> | undefined {
  const format = datasetFormat(protocol);
  if (format in ACTION_UNIT_PROTOCOLS) {
    return { actionUnits: ACTION_UNIT_PROTOCOLS[format as keyof typeof ACTION_UNIT_PROTOCOLS].actionUnits };
  }
  if (format in EXPRESSION_PROTOCOLS) {
    return { expressions: EXPRESSION_PROTOCOLS[format as keyof typeof EXPRESSION_PROTOCOLS].expressions };
  }
  return undefined;
}

/** The subjects in the order of a published identity head; empty when no protocol with subjects is named. */
export function publishedSubjects({ protocol }: Pick<ImportOptions, "protocol">): readonly string[] {
  const format = datasetFormat(protocol);
  return format in ACTION_UNIT_PROTOCOLS
    ? ACTION_UNIT_PROTOCOLS[format as keyof typeof ACTION_UNIT_PROTOCOLS].subjects
    : [];
}
