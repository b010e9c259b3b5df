/** A list of things that take time, asked for before they are needed. */
export interface Lookahead<T> {
  /** The next one. */
  next(): Promise<T>;
}

/** How many are under way at once. */
const AHEAD = 2;

/** Asks for things `from`..`to` (exclusive) in order. One that fails does so when it is its turn. */
export function createLookahead<T>(load: (index: number) => Promise<T>, from: number, to: number): Lookahead<T> {
  const underWay: Promise<T>[] = [];
  let asked = from;
  return {
    next() {
      while (asked < to && underWay.length <= AHEAD) {
        const one = load(asked++);
        one.catch(() => {});
        underWay.push(one);
      }
      const next = underWay.shift();
      if (next === undefined) throw new RangeError(`Expected to be asked at most ${to - from} times`);
      return next;
    },
  };
}
