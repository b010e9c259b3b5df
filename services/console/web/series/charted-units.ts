/** Classes of the style sheet with colours that stay apart for colour-blind eyes (after Okabe and Ito 2008). */
const COLORS = 5;

/** Which action units the chart shows, each with a colour that it keeps while it is shown. */
export class ChartedUnits {
  readonly #slots: (number | undefined)[] = Array.from({ length: COLORS }, () => undefined);

  /** Charted ones in the order of their numbers, with their colours from 0. */
  get entries(): readonly { readonly actionUnit: number; readonly color: number }[] {
    return this.#slots
      .flatMap((actionUnit, color) => (actionUnit === undefined ? [] : [{ actionUnit, color }]))
      .sort((a, b) => a.actionUnit - b.actionUnit);
  }

  colorOf(actionUnit: number): number | undefined {
    const color = this.#slots.indexOf(actionUnit);
    return color < 0 ? undefined : color;
  }

  /** Shows it, or shows it no more. False when there is no colour left to show it in. */
  toggle(actionUnit: number): boolean {
    const slot = this.#slots.indexOf(actionUnit);
    const at = slot < 0 ? this.#slots.indexOf(undefined) : slot;
    if (at < 0) return false;
    this.#slots[at] = slot < 0 ? actionUnit : undefined;
    return true;
  }

  /** Keeps of what is shown what a model answers; where nothing is left, shows what most of them are about. */
  describe(actionUnits: readonly number[]): void {
    for (const [color, actionUnit] of this.#slots.entries()) {
      if (actionUnit !== undefined && !actionUnits.includes(actionUnit)) this.#slots[color] = undefined;
    }
    if (this.#slots.some((slot) => slot !== undefined)) return;
    // A smile, raised and lowered brows, an open jaw: what people try first.
    const first = [12, 1, 4, 26].filter((actionUnit) => actionUnits.includes(actionUnit));
    for (const actionUnit of first.length > 0 ? first : actionUnits.slice(0, 4)) this.toggle(actionUnit);
  }
}
