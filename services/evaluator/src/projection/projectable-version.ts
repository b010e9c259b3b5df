import { BUILT_IN_MODEL, cardOf, InvalidFieldError, versionName } from "@duchenne/control";
import type { DetectorCard, ExpressionCard } from "@duchenne/model";
import type { ModelVersionRecord } from "@duchenne/store";

/** Thrown when a version has no features to project. */
export class NotProjectableError extends InvalidFieldError {
  readonly reason = "NOT_PROJECTABLE";

  constructor({ model, version }: ModelVersionRecord, problem: string) {
    super(
      "model_version",
      `Expected a detector or classifier with features, ${versionName(model, version)} is ${problem}`,
    );
  }
}

/** The card of a version whose features can be projected. @throws {NotProjectableError} */
export function projectableCard(version: ModelVersionRecord): DetectorCard | ExpressionCard {
  if (version.model === BUILT_IN_MODEL) throw new NotProjectableError(version, "the built-in model, which has none");
  const { config, ...card } = cardOf(version);
  switch (config.kind) {
    case "vit":
      return { ...card, config };
    case "vit-expression":
      return { ...card, config };
    case "mae":
      throw new NotProjectableError(
        version,
        "a masked autoencoder, which is not served; project what is fine-tuned from it",
      );
  }
}
