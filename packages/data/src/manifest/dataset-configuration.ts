import { z } from "zod";
import { ACTION_UNITS } from "../action-unit.ts";
import { PROTOCOLS } from "../dataset.ts";
import { parseJson, parseWhere } from "../json-lines.ts";
import type { ProblemList } from "../manifest-error.ts";
import { ACTION_UNIT_PROTOCOLS } from "../protocols/action-unit-protocol.ts";
import { EXPRESSION_PROTOCOLS } from "../protocols/expression-protocol.ts";

const names = z
  .array(z.string().min(1))
  .refine((each) => new Set(each).size === each.length, "Expected each name once");

/** `dataset.json`: what holds for every line of the manifest. */
const datasetConfigurationSchema = z
  .object({
    name: z.string().min(1),
    description: z.string().default(""),
    /** The published data set that it is, which then says action units or expressions, subjects and folds. */
    protocol: z.enum(PROTOCOLS).optional(),
    /** FACS numbers in label order. */
    actionUnits: z.array(z.int()).default([]),
    /** What the numbers are: intensities 0..5, or occurrences 0 and 1. Intensities when not stated. */
    labels: z.enum(["intensity", "occurrence"]).optional(),
    /** Intensity from which an action unit counts as occurring. */
    occurrenceThreshold: z.number().gt(0).lte(5).default(2),
    /** Expression classes in index order. */
    expressions: names.min(2).optional(),
    /** The identity vocabulary in index order; those of the manifest by name when not stated. */
    subjects: names.optional(),
    /** Subjects of each fold, fold 1 first. */
    folds: z
      .array(z.array(z.string().min(1)))
      .min(2)
      .optional(),
    /** Subjects may be in the training and the test part: whoever reads figures of such parts is told. */
    subjectsInBothParts: z.boolean().optional(),
    boxConvention: z.string().default("unknown"),
    /** What is known of the licence of images and labels: an SPDX identifier, or the terms' name and place. */
    license: z.string().trim().min(1).max(2000).optional(),
    /** What made it, whole. */
    generator: z.record(z.string(), z.unknown()).optional(),
  })
  .superRefine(({ protocol, ...stated }, context) => {
    if (protocol === undefined) return;
    for (const field of ["actionUnits", "expressions", "subjects", "folds"] as const) {
      const value = stated[field];
      if (value === undefined || (field === "actionUnits" && value.length === 0)) continue;
      context.addIssue({
        code: "custom",
        path: [field],
        message: `Expected none: "protocol" says what ${protocol} has`,
      });
    }
  })
  .superRefine(({ actionUnits }, context) => {
    for (const [index, number] of actionUnits.entries()) {
      const path = ["actionUnits", index];
      if (!ACTION_UNITS.has(number))
        context.addIssue({ code: "custom", path, message: `Unknown action unit ${number}` });
      if (actionUnits.indexOf(number) !== index) {
        context.addIssue({ code: "custom", path, message: `Action unit ${number} stands twice` });
      }
    }
  });
/** `dataset.json`, parsed. */
export type DatasetConfiguration = z.infer<typeof datasetConfigurationSchema>;

/** Parses the text of `dataset.json`; undefined, and problems, when it cannot be used. */
export function parseDatasetConfiguration(text: string, problems: ProblemList): DatasetConfiguration | undefined {
  const json = parseJson(text);
  if (json !== undefined) return datasetConfigurationFrom(json, "dataset.json", problems);
  problems.add("dataset.json", "Expected JSON");
  return undefined;
}

/** Checks a configuration and fills in what its protocol says; undefined, and problems, when it cannot be used. */
export function datasetConfigurationFrom(
  value: unknown,
  where: string,
  problems: ProblemList,
): DatasetConfiguration | undefined {
  const configuration = parseWhere(datasetConfigurationSchema, value, where, problems);
  const protocol = configuration?.protocol;
  if (configuration === undefined || protocol === undefined) return configuration;
  if (protocol === "raf-db" || protocol === "affectnet-8") {
    return { ...configuration, expressions: [...EXPRESSION_PROTOCOLS[protocol].expressions] };
  }
  const { actionUnits, subjects, folds } = ACTION_UNIT_PROTOCOLS[protocol];
  return {
    ...configuration,
    actionUnits: [...actionUnits],
    subjects: [...subjects],
    folds: folds.map((fold) => [...fold]),
  };
}
