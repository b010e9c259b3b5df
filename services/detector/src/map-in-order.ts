/**
 * Maps a stream with up to `limit` items in work at once; results come in the order of the items, each as soon as it
 * and all before it are done, also while the source is silent. An item counts until its result was taken, so a slow
 * reader slows the source. An error of the source or of `work` is thrown in its place.
 */
export async function* mapInOrder<I, O>(
  source: AsyncIterable<I>,
  limit: number,
  work: (item: I) => Promise<O>,
): AsyncGenerator<O, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const pending: Promise<O>[] = [];
  let arrived = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  let ended = false;
  let stopped = false;

  async function pump(): Promise<void> {
    try {
      while (!stopped) {
        const next = await iterator.next();
        if (next.done === true) break;
        enqueue(work(next.value));
        while (pending.length >= limit && !stopped) {
          room = Promise.withResolvers();
          await room.promise;
        }
      }
    } catch (error) {
      enqueue(Promise.reject(error));
    } finally {
      ended = true;
      arrived.resolve();
    }
  }
  function enqueue(result: Promise<O>): void {
    // It is awaited in its turn; until then a rejection is not unhandled.
    result.catch(() => {});
    pending.push(result);
    arrived.resolve();
  }

  void pump();
  try {
    for (;;) {
      const head = pending[0];
      if (head !== undefined) {
        yield await head;
        pending.shift();
        room.resolve();
      } else if (ended) {
        return;
      } else {
        await arrived.promise;
        arrived = Promise.withResolvers();
      }
    }
  } finally {
    stopped = true;
    room.resolve();
    // A source that waits for its next item ends by its own signal: waiting for it here could take for ever.
    void iterator.return?.()?.catch(() => {});
  }
}
