/** Waits for signs of life. */
export interface SilenceWatch {
  /** There was one. */
  heard(): void;
  /** Nothing is told any more. */
  stop(): void;
}

/** How often is looked, in the time that the silence may last. */
const LOOKS = 20;

/** How long is waited. */
export interface SilenceLimits {
  /** For the next sign. */
  readonly limitMs: number;
  /** For the first one, if that may take longer. */
  readonly firstMs: number;
}

/**
 * Tells once when nothing was heard for a while. Time in which this process did not run itself does not count: what was
 * sent meanwhile has yet to be read.
 *
 * @param now a clock that never jumps, in milliseconds
 */
export function watchSilence(
  { limitMs, firstMs }: SilenceLimits,
  onSilence: () => void,
  now = () => performance.now(),
): SilenceWatch {
  const lookMs = limitMs / LOOKS;
  let silentMs = Math.min(0, limitMs - firstMs);
  let lookedMs = now();
  const timer = setInterval(() => {
    const atMs = now();
    silentMs += Math.min(atMs - lookedMs, 2 * lookMs);
    lookedMs = atMs;
    if (silentMs < limitMs) return;
    clearInterval(timer);
    onSilence();
  }, lookMs);
  return {
    heard() {
      silentMs = 0;
      lookedMs = now();
    },
    stop: () => clearInterval(timer),
  };
}
