import { InvalidArgumentError } from "commander";

/** Reads a whole number of a range. @throws {InvalidArgumentError} */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    const range = to === Number.MAX_SAFE_INTEGER ? `from ${from} on` : `from ${from} to ${to}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}, got "${text}"`);
  };
}

/** Reads a number above 0. @throws {InvalidArgumentError} */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError(`Expected a positive number, got "${text}"`);
}
