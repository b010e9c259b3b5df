/** An item with its place in its source. */
export interface Numbered<T> {
  /** From 1. */
  readonly number: bigint;
  readonly item: T;
}

/** Items with their places, each. */
export async function* numbered<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<Numbered<T>> {
  let number = 0n;
  for await (const item of source) yield { number: ++number, item };
}

/**
 * Reads a source as fast as it comes and yields the newest item whenever one is asked for; those in between are skipped,
 * but for items that `keep` says must not be.
 */
export async function* newest<T>(
  source: AsyncIterable<T> | Iterable<T>,
  keep: (item: T) => boolean,
): AsyncGenerator<Numbered<T>> {
  const waiting: Numbered<T>[] = [];
  let arrived = Promise.withResolvers<void>();
  let ended = false;
  let stopped = false;
  let failure: { readonly error: unknown } | undefined;
  const reading = (async () => {
    let number = 0n;
    for await (const item of source) {
      if (stopped) return;
      const last = waiting.at(-1);
      if (last !== undefined && !keep(last.item)) waiting.pop();
      waiting.push({ number: ++number, item });
      arrived.resolve();
    }
  })()
    .catch((error: unknown) => {
      failure = { error };
    })
    .finally(() => {
      ended = true;
      arrived.resolve();
    });
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (ended) break;
      else {
        arrived = Promise.withResolvers();
        await arrived.promise;
      }
    }
    await reading;
    if (failure !== undefined) throw failure.error;
  } finally {
    stopped = true;
  }
}
