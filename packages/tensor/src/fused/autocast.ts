/** What passes between matrix products. Residual stream, statistics, losses, gradients and weights are always float32. */
export type Precision = "float32" | "bfloat16";

let current: Precision = "float32";

/**
 * Runs a function, such as a forward pass, in a precision; gradients taken of what it computes follow. Synchronous: what
 * it starts and does not finish runs in the precision outside.
 */
export function autocast<R>(precision: Precision, run: () => R): R {
  const before = current;
  current = precision;
  try {
    return run();
  } finally {
    current = before;
  }
}

/** The precision of the innermost `autocast`. */
export function currentPrecision(): Precision {
  return current;
}
