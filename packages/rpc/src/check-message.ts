import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { RpcFailure, Violation } from "./errors.ts";

/** Thrown when a request breaks the rules its proto declares. */
export class InvalidRequestError extends Error implements RpcFailure {
  override readonly name = "InvalidRequestError";
  readonly code = "invalid_argument";
  readonly reason = "INVALID_REQUEST";
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(
      violations.map(({ field, description }) => (field === "" ? description : `${field}: ${description}`)).join("; "),
    );
    this.violations = violations;
  }
}

const validator = createValidator();

/**
 * Checks a message against its protovalidate rules. Servers check every request; this is for parts that a proto exempts.
 *
 * @throws {InvalidRequestError}
 */
export function checkMessage<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const result = validator.validate(schema, message);
  if (result.kind === "error") throw result.error;
  if (result.kind === "valid") return;
  throw new InvalidRequestError(
    result.violations.map(({ field, message }) => ({ field: pathToString(field), description: message })),
  );
}
