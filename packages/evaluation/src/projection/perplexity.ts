/** What is taken when nobody says, with enough frames. */
const DEFAULT_PERPLEXITY = 30;
/** What says something of neighbours at all. */
export const MIN_PERPLEXITY = 2;

/** Thrown when frames are too few for a perplexity. */
export class PerplexityTooLargeError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "PERPLEXITY_TOO_LARGE";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(perplexity: number, frames: number) {
    const most = largestPerplexity(frames);
    const message =
      most < MIN_PERPLEXITY
        ? `Expected at least ${3 * MIN_PERPLEXITY + 1} frames to project, got ${frames}`
        : `Expected a perplexity of at most ${Number(most.toFixed(2))}, a third of the ${frames} frames less one, got ${perplexity}`;
    super(message);
    this.name = "PerplexityTooLargeError";
    this.violations = [{ field: "perplexity", description: message }];
  }
}

/** The largest that so many frames allow: a Gaussian that holds most of the frames is none (van der Maaten 2014). */
const largestPerplexity = (frames: number): number => (frames - 1) / 3;

/**
 * The perplexity of so many frames: the one asked for, else 30, or what few frames allow.
 *
 * @throws {PerplexityTooLargeError}
 */
export function perplexityFor(asked: number | undefined, frames: number): number {
  const most = largestPerplexity(frames);
  const perplexity = asked ?? Math.max(Math.min(DEFAULT_PERPLEXITY, most), MIN_PERPLEXITY);
  if (perplexity > most) throw new PerplexityTooLargeError(perplexity, frames);
  return perplexity;
}
