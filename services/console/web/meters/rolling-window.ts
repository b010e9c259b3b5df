/** Numbers of the last while. */
export class RollingWindow {
  readonly #spanMs: number;
  #samples: { readonly timeMs: number; readonly value: number }[] = [];

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  push(timeMs: number, value: number): void {
    this.#samples.push({ timeMs, value });
    this.#forget(timeMs);
  }

  clear(): void {
    this.#samples = [];
  }

  /** The value that a share of them do not exceed (nearest rank); undefined when there is none. @param share 0..1 */
  quantile(share: number, nowMs: number): number | undefined {
    this.#forget(nowMs);
    const sorted = this.#samples.map(({ value }) => value).sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  }

  /** How many come in a second, told from those that are there; 0 with fewer than two. */
  ratePerSecond(nowMs: number): number {
    this.#forget(nowMs);
    const first = this.#samples[0];
    if (first === undefined || this.#samples.length < 2) return 0;
    return ((this.#samples.length - 1) * 1000) / Math.max(nowMs - first.timeMs, 1);
  }

  #forget(nowMs: number): void {
    const kept = this.#samples.findIndex(({ timeMs }) => timeMs > nowMs - this.#spanMs);
    if (kept !== 0) this.#samples.splice(0, kept < 0 ? this.#samples.length : kept);
  }
}
