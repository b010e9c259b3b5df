/**
 * Thrown when TensorFlow refuses an operation; `code` is its canonical code: "invalid_argument" for shapes and types that do
 * not fit, "resource_exhausted" for a lack of memory.
 */
export class TensorFlowError extends Error {
  readonly code: string;
  readonly reason: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "TensorFlowError";
    this.code = code;
    this.reason = code === "resource_exhausted" ? "OUT_OF_MEMORY" : `TENSORFLOW_${code.toUpperCase()}`;
  }
}

/** An error of the native addon as a TensorFlowError; others as they are. */
export function tensorFlowErrorFrom(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TensorFlowError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string" || !/^[a-z_]+$/.test(code)) return error;
  const remedy = code === "resource_exhausted" ? ". Use smaller batches, or a machine with more memory." : "";
  return new TensorFlowError(code, error.message + remedy, error);
}
