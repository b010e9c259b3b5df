/** A recipe of which any part may be left out. */
export type Partially<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> | undefined }
    : T;

/** Fills what a value leaves out, at every depth, from defaults; of an undefined field the default counts. */
export function withDefaults(defaults: object, value: object): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...defaults };
  for (const [key, given] of Object.entries(value) as [string, unknown][]) {
    const fallback = filled[key];
    if (given === undefined) continue;
    filled[key] = isRecord(given) && isRecord(fallback) ? withDefaults(fallback, given) : given;
  }
  return filled;
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
