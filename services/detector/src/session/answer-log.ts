import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type StreamDetectResponse, StreamDetectResponseSchema } from "@duchenne/proto";
import type { StreamResponse } from "../stream/stream-answers.ts";
import { AnswerNumberError, AnswersGoneError } from "./session-errors.ts";

/** An answer with its number, from 1. */
export interface NumberedAnswer {
  readonly number: bigint;
  readonly answer: StreamDetectResponse;
}

/**
 * The answers of a session, for watchers who come and go: the newest are kept, as bytes, so that what they take is known.
 */
export class AnswerLog {
  readonly #maxBytes: number;
  readonly #kept: Uint8Array[] = [];
  #bytes = 0;
  /** The number of the oldest answer kept. */
  #first = 1n;
  #ended = false;
  #error: { readonly error: unknown } | undefined;
  readonly #waiting = new Set<() => void>();

  /** @param maxBytes the newest answer is kept even when it alone is larger */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  append(response: StreamResponse): void {
    const bytes = toBinary(StreamDetectResponseSchema, create(StreamDetectResponseSchema, response));
    this.#kept.push(bytes);
    this.#bytes += bytes.length;
    while (this.#bytes > this.#maxBytes && this.#kept.length > 1) {
      this.#bytes -= this.#kept.shift()!.length;
      this.#first++;
    }
    this.#wake();
  }

  /** Ends after what was appended. @param error what watchers are told then */
  end(error?: { readonly error: unknown }): void {
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  /**
   * The answers with larger numbers, those still to come included. Ends with the log, or when the signal aborts.
   *
   * @throws {AnswersGoneError} when they are no longer kept, at the beginning or later
   * @throws {AnswerNumberError} when that number was not answered
   */
  async *watch(after: bigint, signal: AbortSignal): AsyncGenerator<NumberedAnswer, void, undefined> {
    const last = this.#first + BigInt(this.#kept.length) - 1n;
    if (after > last) {
      throw new AnswerNumberError("after", `Expected the number of an answer, at most ${last}, got ${after}`);
    }
    let arrived = Promise.withResolvers<void>();
    const wake = () => arrived.resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    try {
      for (let seen = after; !signal.aborted; ) {
        if (seen + 1n < this.#first) throw new AnswersGoneError(seen, this.#first - 1n);
        const bytes = this.#kept[Number(seen + 1n - this.#first)];
        if (bytes !== undefined) {
          seen++;
          yield { number: seen, answer: fromBinary(StreamDetectResponseSchema, bytes) };
        } else if (this.#ended) {
          if (this.#error !== undefined) throw this.#error.error;
          return;
        } else {
          arrived = Promise.withResolvers();
          await arrived.promise;
        }
      }
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
