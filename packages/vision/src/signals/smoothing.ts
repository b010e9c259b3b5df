/** How scores are smoothed over time. */
export type Smoothing =
  | { readonly kind: "none" }
  /** Exponential moving average. */
  | {
      readonly kind: "ema";
      /** After so many milliseconds half of a step has come through. */
      readonly halfLifeMs: number;
    }
  /** One-euro filter (Casiez, Roussel and Vogel, CHI 2012): smooth at rest, quick in movement. */
  | {
      readonly kind: "one-euro";
      /** Cut-off at rest, in Hz: lower is smoother. */
      readonly minCutoffHz: number;
      /** How much the cut-off grows with speed: higher lags less. */
      readonly beta: number;
      /** Cut-off of the speed, in Hz. */
      readonly derivativeCutoffHz: number;
    };

/** Smooths a value that comes from time to time. */
export interface ScoreFilter {
  /** @param atMs the value's time; not before the last one's */
  next(value: number, atMs: number): number;
}

/** Makes a filter; its first value comes out as it is. */
export function createScoreFilter(smoothing: Smoothing): ScoreFilter {
  switch (smoothing.kind) {
    case "none":
      return { next: (value) => value };
    case "ema":
      return lowPass((elapsedMs) => 1 - 0.5 ** (elapsedMs / smoothing.halfLifeMs));
    case "one-euro":
      return oneEuro(smoothing);
  }
}

/** @param alphaOf the share that a new value has after so many milliseconds */
function lowPass(alphaOf: (elapsedMs: number) => number): ScoreFilter {
  let last: { readonly value: number; readonly atMs: number } | undefined;
  return {
    next(value, atMs) {
      const alpha = last === undefined ? 1 : alphaOf(Math.max(atMs - last.atMs, 0));
      const smoothed = last === undefined ? value : last.value + alpha * (value - last.value);
      last = { value: smoothed, atMs };
      return smoothed;
    },
  };
}

function oneEuro({ minCutoffHz, beta, derivativeCutoffHz }: Extract<Smoothing, { kind: "one-euro" }>): ScoreFilter {
  let cutoffHz = minCutoffHz;
  const speed = lowPass((elapsedMs) => shareOf(derivativeCutoffHz, elapsedMs));
  const values = lowPass((elapsedMs) => shareOf(cutoffHz, elapsedMs));
  let last: { readonly smoothed: number; readonly atMs: number } | undefined;
  return {
    next(value, atMs) {
      const elapsedS = last === undefined ? 0 : (atMs - last.atMs) / 1000;
      // Change per second against the last smoothed value, as in the paper's appendix.
      const change = last === undefined || elapsedS <= 0 ? 0 : (value - last.smoothed) / elapsedS;
      cutoffHz = minCutoffHz + beta * Math.abs(speed.next(change, atMs));
      const smoothed = values.next(value, atMs);
      last = { smoothed, atMs };
      return smoothed;
    },
  };
}

/** 1 / (1 + tau / Te), with tau = 1 / (2 pi cutoff). */
function shareOf(cutoffHz: number, elapsedMs: number): number {
  const r = (2 * Math.PI * cutoffHz * elapsedMs) / 1000;
  return r / (r + 1);
}
