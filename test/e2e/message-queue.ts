/** Messages that a test sends when it wants to, for the request side of a stream. */
export interface MessageQueue<T> extends AsyncIterable<T> {
  push(message: T): void;
  /** Ends the stream after what was pushed. */
  end(): void;
}

/** Makes an empty queue. */
export function createMessageQueue<T>(): MessageQueue<T> {
  const waiting: T[] = [];
  let ended = false;
  let arrived = Promise.withResolvers<void>();
  return {
    push(message) {
      waiting.push(message);
      arrived.resolve();
    },
    end() {
      ended = true;
      arrived.resolve();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else if (ended) return;
        else {
          await arrived.promise;
          arrived = Promise.withResolvers();
        }
      }
    },
  };
}
