import { BUILT_IN_MODEL, cardOf, describeVersion, InvalidFieldError, jobName, versionName } from "@duchenne/control";
import type { DetectorCard, ExpressionCard } from "@duchenne/model";
import type { ModelVersionRecord } from "@duchenne/store";
import type { ModelDescription } from "@duchenne/vision";

/** Thrown when a version answers nothing that labels could be compared with. */
export class NotEvaluableError extends InvalidFieldError {
  readonly reason = "NOT_EVALUABLE";

  constructor(version: ModelVersionRecord, field: string) {
    const name = versionName(version.model, version.version);
    super(
      field,
      `Expected an action unit detector or an expression classifier, ${name} is a masked autoencoder; evaluate what is fine-tuned from it`,
    );
  }
}

/** Thrown when a job makes no version that labels could be compared with. */
export class NotEvaluableJobError extends InvalidFieldError {
  readonly reason = "NOT_EVALUABLE";

  constructor(job: string, kind: string, expected: readonly string[]) {
    super(
      "training_job",
      `Expected a job that makes one detector or classifier (${expected.join(", ")}), ${jobName(job)} is a ${kind}`,
    );
  }
}

/** An action unit detector. */
export interface EvaluableDetector {
  readonly answers: "action_units";
  readonly actionUnits: ModelDescription["actionUnits"];
  /** Absent for the built-in model. */
  readonly card: DetectorCard | undefined;
}

/** An expression classifier. */
export interface EvaluableClassifier {
  readonly answers: "expressions";
  readonly card: ExpressionCard;
}

/** What a version answers. @param field that names it, for errors @throws {NotEvaluableError} */
export function evaluableVersion(
  version: ModelVersionRecord,
  field = "model_version",
): EvaluableDetector | EvaluableClassifier {
  if (version.model === BUILT_IN_MODEL) {
    return { answers: "action_units", actionUnits: describeVersion(version).actionUnits, card: undefined };
  }
  const { config, ...card } = cardOf(version);
  switch (config.kind) {
    case "vit":
      return {
        answers: "action_units",
        actionUnits: describeVersion(version).actionUnits,
        card: { ...card, config },
      };
    case "vit-expression":
      return { answers: "expressions", card: { ...card, config } };
    case "mae":
      throw new NotEvaluableError(version, field);
  }
}
