import type { AliasMove, ModelVersionRecord } from "@duchenne/store";
import { NotADetectorError, roleOf } from "./describe-version.ts";
import { aliasName, parseAliasName, versionName } from "./resource-name.ts";

/** The model whose aliases serve clients that name no model. */
const DEFAULT_MODEL = "default";

/** Thrown when an alias that points at one kind of model is to point at another. */
class AliasKindDiffersError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "ALIAS_KIND_DIFFERS";

  constructor(alias: string, from: ModelVersionRecord, to: ModelVersionRecord) {
    const [now, asked] = [from, to].map(({ model, version }) => versionName(model, version));
    super(
      `Expected ${roleOf(from)} for ${alias}, which points at ${now}, ${asked} is ${roleOf(to)}. ` +
        `An alias keeps its kind for those who follow it: use one of another model, or delete ${alias} first`,
    );
    this.name = "AliasKindDiffersError";
  }
}

/**
 * Checks that those who follow an alias can go on after a move: an alias keeps the kind of model that it points at, and those
 * of models/default lead to detectors.
 *
 * @throws {NotADetectorError} @throws {AliasKindDiffersError}
 */
export function requireAliasKind(name: string, { from, to }: AliasMove): void {
  const role = roleOf(to);
  const { model, alias } = parseAliasName(name);
  if (model === DEFAULT_MODEL && role !== "an action unit detector") {
    const such = to.model === DEFAULT_MODEL ? "" : `, such as ${aliasName(to.model, alias)}`;
    throw new NotADetectorError(
      to,
      `for ${name}, which serves clients that name no model`,
      `Use an alias of another model${such}`,
    );
  }
  if (from !== undefined && roleOf(from) !== role) throw new AliasKindDiffersError(name, from, to);
}
