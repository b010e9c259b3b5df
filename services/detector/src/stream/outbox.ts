/** Messages on their way to a reader who takes them one by one. */
export class Outbox<T> implements AsyncIterable<T> {
  readonly #messages: T[] = [];
  readonly #capacity: number;
  #arrived = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();
  #ended = false;
  #error: { readonly error: unknown } | undefined;

  /** @param capacity messages after which writers should wait */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(message: T): void {
    if (this.#ended) return;
    this.#messages.push(message);
    this.#arrived.resolve();
  }

  /** Ends after what was pushed. */
  end(): void {
    this.#ended = true;
    this.#arrived.resolve();
    this.#room.resolve();
  }

  /** Ends now, with an error for the reader. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = { error };
    this.end();
  }

  /** Resolves when the reader has kept up, or when nothing is written any more. */
  async room(): Promise<void> {
    while (this.#messages.length >= this.#capacity && !this.#ended) {
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error.error;
      const next = this.#messages.shift();
      if (next !== undefined) {
        this.#room.resolve();
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        this.#arrived = Promise.withResolvers();
        await this.#arrived.promise;
      }
    }
  }
}
