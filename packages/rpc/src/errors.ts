import { type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type BadRequest, BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";
import { codeFromName } from "./code-name.ts";
import { cutToBytes } from "./cut-to-bytes.ts";

/** The domain of every ErrorInfo the product sends: reasons are unique within it. */
export const ERROR_DOMAIN = "duchenne.dev";

/** What is wrong with one field of a request. */
export interface Violation {
  /** The path of the field, such as "recipe.epochs" or "samples[3].image". */
  readonly field: string;
  /** What was expected and what was there. */
  readonly description: string;
}

/**
 * What an error needs to reach the caller as it is meant; packages need no import for it. Any thrown error of this
 * shape becomes its status with google.rpc.ErrorInfo, and google.rpc.BadRequest when it has violations.
 */
export interface RpcFailure extends Error {
  /** A canonical code in lower case, such as "not_found". */
  readonly code: string;
  /** What happened, in UPPER_SNAKE_CASE, for programs. */
  readonly reason: string;
  /** What is wrong with which fields. */
  readonly violations?: readonly Violation[];
  /** More facts for programs, such as the name of the missing resource. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A status ready for the wire, and whether the error behind it was expected. */
export interface MappedError {
  readonly status: ConnectError;
  /** True when nobody foresaw the error: its text is for the log alone. */
  readonly unexpected: boolean;
}

// Clients built on gRPC's C core refuse more than 8 KiB of metadata; message and details share them, in base64.
const MAX_MESSAGE_BYTES = 1_000;
const MAX_VIOLATIONS_BYTES = 3_000;
const MAX_VIOLATION_BYTES = 400;

/**
 * The status of any thrown value. A ConnectError stays what it is; an RpcFailure gets its details; what a cancelled
 * call throws becomes the signal's reason; everything else is "internal" without its text.
 */
export function toStatus(error: unknown, options: { signal?: AbortSignal; traceId?: string } = {}): MappedError {
  if (error instanceof ConnectError) return { status: error, unexpected: false };
  const { signal } = options;
  if (signal !== undefined && isAbort(error, signal)) {
    return { status: ConnectError.from(signal.reason, Code.Canceled), unexpected: false };
  }
  if (isRpcFailure(error)) return { status: statusOf(error), unexpected: false };
  const trail = options.traceId === undefined ? "" : ` (trace ${options.traceId})`;
  const metadata: Record<string, string> = options.traceId === undefined ? {} : { traceId: options.traceId };
  const status = new ConnectError(`Internal error${trail}`, Code.Internal, undefined, [
    errorInfo("INTERNAL", metadata),
  ]);
  return { status, unexpected: true };
}

/** True for an error that has a canonical code and a reason. */
export function isRpcFailure(error: unknown): error is RpcFailure {
  if (!(error instanceof Error)) return false;
  const { code, reason } = error as Partial<RpcFailure>;
  return typeof code === "string" && codeFromName(code) !== undefined && typeof reason === "string";
}

/** True for what work throws because its signal aborted, and for nothing else that goes wrong meanwhile. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}

interface OutgoingDetail {
  desc: DescMessage;
  value: MessageInitShape<DescMessage>;
}

function statusOf(failure: RpcFailure): ConnectError {
  const details: OutgoingDetail[] = [errorInfo(failure.reason, failure.metadata ?? {})];
  if (failure.violations !== undefined && failure.violations.length > 0) {
    details.push({ desc: BadRequestSchema, value: badRequest(failure.violations) });
  }
  const message = cutToBytes(failure.message, MAX_MESSAGE_BYTES);
  return new ConnectError(message, codeFromName(failure.code), undefined, details, failure);
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>>): OutgoingDetail {
  const value: MessageInitShape<typeof ErrorInfoSchema> = { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } };
  return { desc: ErrorInfoSchema, value };
}

/** As many violations as fit; a last one tells how many more there are. */
function badRequest(violations: readonly Violation[]): BadRequest {
  const all = violations.map(({ field, description }) => ({
    $typeName: "google.rpc.BadRequest.FieldViolation" as const,
    field: cutToBytes(field, MAX_VIOLATION_BYTES),
    description: cutToBytes(description, MAX_VIOLATION_BYTES),
    reason: "",
  }));
  const message: BadRequest = { $typeName: "google.rpc.BadRequest", fieldViolations: [] };
  let bytes = 0;
  for (const violation of all) {
    bytes += toBinary(BadRequestSchema, { ...message, fieldViolations: [violation] }).length;
    if (bytes > MAX_VIOLATIONS_BYTES) {
      const left = all.length - message.fieldViolations.length;
      message.fieldViolations.push({ ...violation, field: "", description: `And ${left} more` });
      break;
    }
    message.fieldViolations.push(violation);
  }
  return message;
}
