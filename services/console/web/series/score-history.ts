/** Scores of the past, column by column, as a chart takes them. */
export interface HistoryWindow {
  /** Seconds before now; not positive, rising. */
  readonly secondsAgo: number[];
  /** Null where there was no score. */
  readonly columns: (number | null)[][];
}

/** The newest scores of a few action units in a ring of fixed size. */
export class ScoreHistory {
  readonly #capacity: number;
  #actionUnits: readonly number[] = [];
  readonly #timesMs: Float64Array;
  #scores = new Float32Array(0);
  #begin = 0;
  #length = 0;

  /** @param capacity moments that are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#timesMs = new Float64Array(capacity);
  }

  /** Forgets everything, and keeps these action units from now on. */
  reset(actionUnits: readonly number[]): void {
    this.#actionUnits = [...actionUnits];
    this.#scores = new Float32Array(this.#capacity * actionUnits.length);
    this.#begin = this.#length = 0;
  }

  /** Adds a moment. @param scoreOf undefined where there is no score, such as without a face */
  push(timeMs: number, scoreOf: (actionUnit: number) => number | undefined): void {
    const at = (this.#begin + this.#length) % this.#capacity;
    if (this.#length === this.#capacity) this.#begin = (this.#begin + 1) % this.#capacity;
    else this.#length++;
    this.#timesMs[at] = timeMs;
    for (const [column, actionUnit] of this.#actionUnits.entries()) {
      this.#scores[at * this.#actionUnits.length + column] = scoreOf(actionUnit) ?? Number.NaN;
    }
  }

  /** The moments of the last `spanMs`, for the action units that are named. */
  window(actionUnits: readonly number[], nowMs: number, spanMs: number): HistoryWindow {
    const secondsAgo: number[] = [];
    const columns: (number | null)[][] = actionUnits.map(() => []);
    const indexes = actionUnits.map((actionUnit) => this.#actionUnits.indexOf(actionUnit));
    for (let i = 0; i < this.#length; i++) {
      const at = (this.#begin + i) % this.#capacity;
      const timeMs = this.#timesMs[at]!;
      if (timeMs < nowMs - spanMs) continue;
      secondsAgo.push((timeMs - nowMs) / 1000);
      for (const [k, index] of indexes.entries()) {
        const score = index < 0 ? Number.NaN : this.#scores[at * this.#actionUnits.length + index]!;
        columns[k]!.push(Number.isNaN(score) ? null : score);
      }
    }
    return { secondsAgo, columns };
  }
}
