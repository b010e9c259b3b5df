import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";

/** What a failed call told: code, reason, metadata, the fields it is about, and all of its text. @throws {Error} when it succeeded */
export async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  if (error === undefined) throw new Error("The call succeeded");
  const [info] = error.findDetails(ErrorInfoSchema);
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return {
    code: Code[error.code],
    reason: info?.reason,
    metadata: info?.metadata,
    fields: fields.map(({ field }) => field),
    text: [error.rawMessage, ...fields.map(({ description }) => description)].join("\n"),
  };
}
