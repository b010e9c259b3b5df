interface Waiting<T> {
  readonly request: T;
  readonly taken: PromiseWithResolvers<void>;
}

/** Requests of one session on their way to its stream, which reads them one by one. A few may wait. */
export class RequestFeed<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #waiting: Waiting<T>[] = [];
  #reading: Waiting<T> | undefined;
  #ended = false;
  #arrived = Promise.withResolvers<void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.#capacity;
  }

  /** Resolves when the reader is done with the request and asks for the next, or does not read any more. */
  push(request: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    const taken = Promise.withResolvers<void>();
    this.#waiting.push({ request, taken });
    this.#arrived.resolve();
    return taken.promise;
  }

  /** Ends after what was pushed. */
  end(): void {
    this.#ended = true;
    this.#arrived.resolve();
  }

  /** The reader is gone: lets everybody go who waits. */
  abandon(): void {
    this.end();
    this.#reading?.taken.resolve();
    for (const { taken } of this.#waiting.splice(0)) taken.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      this.#reading = this.#waiting.shift();
      if (this.#reading !== undefined) {
        const { request, taken } = this.#reading;
        yield request;
        taken.resolve();
      } else if (this.#ended) {
        return;
      } else {
        this.#arrived = Promise.withResolvers();
        await this.#arrived.promise;
      }
    }
  }
}
