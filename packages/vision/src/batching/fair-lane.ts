/** A waiting request, as a lane needs to know it. */
export interface LaneEntry {
  /** Requests of one stream are taken in their order. */
  readonly stream: unknown;
}

/** Requests of many streams that take turns: one of each stream, then the next of each. */
export class FairLane<E extends LaneEntry> {
  // A map keeps the order of insertion: the first stream is next.
  readonly #flows = new Map<unknown, E[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(entry: E): void {
    const flow = this.#flows.get(entry.stream);
    if (flow === undefined) this.#flows.set(entry.stream, [entry]);
    else flow.push(entry);
    this.#size++;
  }

  /** Puts `entry` where its stream's requests wait, and gives those back. The stream keeps its turn. */
  replace(entry: E): E[] {
    const replaced = this.#flows.get(entry.stream) ?? [];
    this.#flows.set(entry.stream, [entry]);
    this.#size += 1 - replaced.length;
    return replaced;
  }

  /** Requests of a stream. */
  countOf(stream: unknown): number {
    return this.#flows.get(stream)?.length ?? 0;
  }

  remove(entry: E): boolean {
    const flow = this.#flows.get(entry.stream);
    const at = flow?.indexOf(entry) ?? -1;
    if (flow === undefined || at < 0) return false;
    flow.splice(at, 1);
    this.#size--;
    if (flow.length === 0) this.#flows.delete(entry.stream);
    return true;
  }

  /** Takes the next request of the first stream whose turn it is and that may go. */
  next(mayGo: (entry: E) => boolean): E | undefined {
    for (const [stream, flow] of this.#flows) {
      const [head] = flow;
      if (head === undefined || !mayGo(head)) continue;
      flow.shift();
      this.#size--;
      this.#flows.delete(stream);
      if (flow.length > 0) this.#flows.set(stream, flow);
      return head;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<E> {
    for (const flow of this.#flows.values()) yield* flow;
  }

  /** The requests of each stream, the stream whose turn it is first. */
  flows(): IterableIterator<readonly E[]> {
    return this.#flows.values();
  }
}
