/** An item with its place in its source. */
export interface Numbered<T> {
  /** From 1. */
  readonly number: bigint;
  readonly item: T;
}

/** Items that are taken one by one until nobody wants more. */
export interface ItemSource<T> {
  /** The next item; undefined at the end. Rejects with what the source throws. */
  next(): Promise<Numbered<T> | undefined>;
  /** Closes the source, also while an item is waited for. What closing throws is nobody's: no item was lost by it. */
  close(): void;
}

/** Items with their places, each. */
export function numbered<T>(source: AsyncIterable<T> | Iterable<T>): ItemSource<T> {
  const iterator = iteratorOf(source);
  let number = 0n;
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done === true ? undefined : { number: ++number, item: value };
    },
    close: () => close(iterator),
  };
}

/**
 * Reads a source as fast as it comes and gives the newest item whenever one is asked for; those in between are skipped,
 * but for items that `keep` says must not be.
 */
export function newest<T>(source: AsyncIterable<T> | Iterable<T>, keep: (item: T) => boolean): ItemSource<T> {
  const iterator = iteratorOf(source);
  const waiting: Numbered<T>[] = [];
  let arrived = Promise.withResolvers<void>();
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let begun = false;

  async function read(): Promise<void> {
    begun = true;
    try {
      for (let number = 1n; ; number++) {
        const { done, value } = await iterator.next();
        if (done === true || ended) break;
        const last = waiting.at(-1);
        if (last !== undefined && !keep(last.item)) waiting.pop();
        waiting.push({ number, item: value });
        arrived.resolve();
      }
    } catch (error) {
      failure = { error };
    }
    ended = true;
    arrived.resolve();
  }

  return {
    async next() {
      if (!begun) void read();
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) return next;
        if (failure !== undefined) throw failure.error;
        if (ended) return undefined;
        arrived = Promise.withResolvers();
        await arrived.promise;
      }
    },
    close() {
      ended = true;
      arrived.resolve();
      close(iterator);
    },
  };
}

type EitherIterator<T> = AsyncIterator<T> | Iterator<T>;

function iteratorOf<T>(source: AsyncIterable<T> | Iterable<T>): EitherIterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** Not awaited: a generator closes only after what it waits for. */
function close(iterator: EitherIterator<unknown>): void {
  void (async () => iterator.return?.())().catch(() => {});
}
