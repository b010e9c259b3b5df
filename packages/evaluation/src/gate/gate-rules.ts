import { parseDocument } from "yaml";
import { z } from "zod";

/** Thrown when a text is no gate: every problem, with its place. */
export class InvalidGateError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_GATE";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(violations: InvalidGateError["violations"]) {
    super(
      ["Expected the rules of a gate:", ...violations.map((each) => `  ${each.field}: ${each.description}`)].join("\n"),
    );
    this.name = "InvalidGateError";
    this.violations = violations;
  }
}

const NAME = "[a-z0-9][a-z0-9_-]{0,62}";
const VERSION = `models/${NAME}(@(live|canary)|/versions/[a-z0-9][a-z0-9_.-]{0,62})`;
const EVALUATION = "evaluations/[a-zA-Z0-9_-]{1,64}";

const share = z.number().min(0).max(1);
/** What a detector is compared with. "live" and "canary" are of models/default, which `duchenne models promote` moves. */
const detectorBaseline = z
  .string()
  .regex(
    new RegExp(`^(live|canary|${VERSION}|${EVALUATION})$`),
    'Expected "live", "canary", a model version or alias, or an evaluation',
  )
  .transform((name) => (name === "live" || name === "canary" ? `models/default@${name}` : name));
/** What a classifier is compared with. An alias names its model: those of models/default lead to detectors. */
const classifierBaseline = z
  .string()
  .regex(
    new RegExp(`^(?!models/default@)(${VERSION}|${EVALUATION})$`),
    "Expected a model version, an evaluation, or an alias with its model, such as models/NAME@live: " +
      "those of models/default are of action unit detectors",
  );
/** What share of the resamples an interval holds. */
const confidence = z.number().min(0.5).lt(1).default(0.95);

/** A rule of one figure. */
const figureRule = (baseline: z.ZodType<string>) =>
  z
    .strictObject({
      /** The least that it may be. */
      min: share.optional(),
      /** It may not be lower than that of a baseline, */
      not_lower_than: baseline.optional(),
      /** by more than this; 0 when it is left out. */
      by_more_than: share.optional(),
      confidence,
    })
    .refine(
      (rule) => rule.min !== undefined || rule.not_lower_than !== undefined,
      "Expected min, not_lower_than or both",
    )
    .refine((rule) => rule.by_more_than === undefined || rule.not_lower_than !== undefined, {
      message: "Expected not_lower_than beside it",
      path: ["by_more_than"],
    });

/** A rule of a figure of each action unit or expression. */
const eachRule = (baseline: z.ZodType<string>) =>
  z
    .strictObject({
      min: share.optional(),
      /** How much lower than that of the baseline it may be. */
      loses_at_most: share.optional(),
      compared_to: baseline.optional(),
      confidence,
    })
    .refine((rule) => rule.min !== undefined || rule.loses_at_most !== undefined, "Expected min, loses_at_most or both")
    .refine((rule) => rule.compared_to === undefined || rule.loses_at_most !== undefined, {
      message: "Expected loses_at_most beside it",
      path: ["compared_to"],
    });

const detectorRule = figureRule(detectorBaseline);
const unitRule = eachRule(detectorBaseline);
const classifierRule = figureRule(classifierBaseline);
const expressionRule = eachRule(classifierBaseline).refine(
  (rule) => rule.loses_at_most === undefined || rule.compared_to !== undefined,
  {
    message: "Expected compared_to beside it, such as models/NAME@live: no alias is every classifier's",
    path: ["loses_at_most"],
  },
);

const gateSchema = z
  .strictObject({
    macro_auc: detectorRule.optional(),
    mean_f1: detectorRule.optional(),
    /** Of every action unit that the evaluated version and the data set know. */
    each_action_unit: z
      .strictObject({ f1: unitRule.optional(), auc: unitRule.optional() })
      .refine(isNotEmpty, "Expected f1, auc or both")
      .optional(),
    top1: classifierRule.optional(),
    mean_class_accuracy: classifierRule.optional(),
    macro_f1: classifierRule.optional(),
    /** Of every expression that the evaluated version and the data set know. */
    each_expression: z
      .strictObject({ recall: expressionRule.optional(), f1: expressionRule.optional() })
      .refine(isNotEmpty, "Expected recall, f1 or both")
      .optional(),
    /** Action units by number, or expressions by name, that a baseline answers and the evaluated version need not. */
    may_lack: z.array(z.union([z.int().min(1), z.string().min(1)])).optional(),
    /** How often a linear probe names the subject; its interval is the report's, of 95 %. */
    identity_leakage: z
      .strictObject({ max: share.optional(), times_chance_at_most: z.number().min(1).optional() })
      .refine(isNotEmpty, "Expected max, times_chance_at_most or both")
      .optional(),
  })
  .refine(({ may_lack: _, ...rules }) => isNotEmpty(rules), "Expected at least one rule");

/** What a limit is of: a figure of a whole evaluation, or one of each action unit or expression. */
export type GateFigure =
  | { readonly of: "detector"; readonly name: "macroAuc" | "meanF1" }
  | { readonly of: "action_unit"; readonly name: "f1" | "auc" }
  | { readonly of: "classifier"; readonly name: "top1" | "meanClassAccuracy" | "macroF1" }
  | { readonly of: "expression"; readonly name: "recall" | "f1" };

/** A limit of a gate, of one figure. */
export type GateLimit =
  | {
      readonly kind: "min" | "loss";
      /** As the gate's text has it, such as "macro_auc.min". */
      readonly rule: string;
      readonly figure: GateFigure;
      readonly limit: number;
      /** What a loss is counted from; of a "min" nothing. */
      readonly baseline: string | undefined;
      readonly confidence: number;
      /** What the baseline answers, action units or expressions, and the version need not; of a "min" nothing. */
      readonly mayLack: readonly (number | string)[];
    }
  | { readonly kind: "leakage"; readonly rule: string; readonly limit: number; readonly isTimesChance: boolean };

/** Reads the rules of a gate. @throws {InvalidGateError} with every problem */
export function parseGate(text: string): readonly GateLimit[] {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    throw new InvalidGateError(document.errors.map(({ message }) => ({ field: "gate", description: message })));
  }
  const { data: gate, error } = gateSchema.safeParse(plainValue(document));
  if (gate === undefined) {
    throw new InvalidGateError(
      error.issues.map(({ path, message }) => ({ field: ["gate", ...path].join("."), description: message })),
    );
  }
  const limits = [
    ...figureLimits("macro_auc", { of: "detector", name: "macroAuc" }, gate.macro_auc),
    ...figureLimits("mean_f1", { of: "detector", name: "meanF1" }, gate.mean_f1),
    ...eachLimits("each_action_unit.f1", { of: "action_unit", name: "f1" }, gate.each_action_unit?.f1),
    ...eachLimits("each_action_unit.auc", { of: "action_unit", name: "auc" }, gate.each_action_unit?.auc),
    ...figureLimits("top1", { of: "classifier", name: "top1" }, gate.top1),
    ...figureLimits("mean_class_accuracy", { of: "classifier", name: "meanClassAccuracy" }, gate.mean_class_accuracy),
    ...figureLimits("macro_f1", { of: "classifier", name: "macroF1" }, gate.macro_f1),
    ...eachLimits("each_expression.recall", { of: "expression", name: "recall" }, gate.each_expression?.recall),
    ...eachLimits("each_expression.f1", { of: "expression", name: "f1" }, gate.each_expression?.f1),
    ...leakageLimits(gate.identity_leakage),
  ];
  const { may_lack: mayLack = [] } = gate;
  return limits.map((limit) => (limit.kind === "loss" ? { ...limit, mayLack } : limit));
}

/** What is not plain data, such as an alias that grows without end, is refused. */
function plainValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new InvalidGateError([{ field: "gate", description: (error as Error).message }]);
  }
}

function figureLimits(name: string, figure: GateFigure, rule: z.output<typeof detectorRule> | undefined): GateLimit[] {
  if (rule === undefined) return [];
  const { min, not_lower_than: baseline, by_more_than: limit = 0, confidence } = rule;
  return [
    ...minLimit(`${name}.min`, figure, min, confidence),
    ...(baseline === undefined
      ? []
      : [{ kind: "loss" as const, rule: `${name}.not_lower_than`, figure, limit, baseline, confidence, mayLack: [] }]),
  ];
}

function eachLimits(name: string, figure: GateFigure, rule: z.output<typeof unitRule> | undefined): GateLimit[] {
  if (rule === undefined) return [];
  const { min, loses_at_most: limit, compared_to: baseline = "models/default@live", confidence } = rule;
  return [
    ...minLimit(`${name}.min`, figure, min, confidence),
    ...(limit === undefined
      ? []
      : [{ kind: "loss" as const, rule: `${name}.loses_at_most`, figure, limit, baseline, confidence, mayLack: [] }]),
  ];
}

function minLimit(rule: string, figure: GateFigure, limit: number | undefined, confidence: number): GateLimit[] {
  return limit === undefined
    ? []
    : [{ kind: "min", rule, figure, limit, baseline: undefined, confidence, mayLack: [] }];
}

function leakageLimits(
  rule: { max?: number | undefined; times_chance_at_most?: number | undefined } = {},
): GateLimit[] {
  return (["max", "times_chance_at_most"] as const).flatMap((name) => {
    const limit = rule[name];
    const isTimesChance = name === "times_chance_at_most";
    return limit === undefined ? [] : [{ kind: "leakage", rule: `identity_leakage.${name}`, limit, isTimesChance }];
  });
}

function isNotEmpty(rules: object): boolean {
  return Object.values(rules).some((rule) => rule !== undefined);
}
