import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Validator } from "@bufbuild/protovalidate";
import type { Interceptor } from "../call.ts";
import type { RpcFailure, Violation } from "../errors.ts";

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

/** Checks every request message, each one of a stream too, against its protovalidate rules. */
export function validationInterceptor(validator: Validator = createValidator()): Interceptor {
  return (next) => (call) =>
    next({ context: call.context, requests: validated(call.requests, call.context.method.input, validator) });
}

async function* validated(
  requests: AsyncIterable<Message>,
  schema: DescMessage,
  validator: Validator,
): AsyncIterable<Message> {
  for await (const request of requests) {
    const result = validator.validate(schema, request);
    if (result.kind === "error") throw result.error;
    if (result.kind === "invalid") {
      throw new InvalidRequestError(
        result.violations.map(({ field, message }) => ({ field: pathToString(field), description: message })),
      );
    }
    yield request;
  }
}
