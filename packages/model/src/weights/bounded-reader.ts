import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { RandomAccessReader } from "yauzl";

/** Reads a zip and refuses places outside of it: yauzl's own reader throws for those where nobody can catch it. */
export class BoundedReader extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly #size: number;

  constructor(file: FileHandle, size: number) {
    super();
    this.#file = file;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (!this.#holds(position, position + length)) {
      callback(outside(position, position + length));
      return;
    }
    this.#readFully(buffer.subarray(offset, offset + length), position).then(
      () => callback(null),
      (error: Error) => callback(error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    if (!this.#holds(start, end)) return Readable.from(refuse(outside(start, end)));
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  /** The file is its opener's. */
  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }

  #holds(start: number, end: number): boolean {
    return start >= 0 && end >= start && end <= this.#size;
  }

  async *#chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let position = start; position < end; position += CHUNK_BYTES) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
      await this.#readFully(chunk, position);
      yield chunk;
    }
  }

  async #readFully(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) throw outside(position, position + bytes.length);
      done += bytesRead;
    }
  }
}

const CHUNK_BYTES = 256 * 1024;

const outside = (start: number, end: number): RangeError =>
  new RangeError(`Bytes ${start} to ${end} are not within the file`);

// biome-ignore lint/correctness/useYield: a stream that ends with an error before its first byte
async function* refuse(error: Error): AsyncGenerator<Buffer> {
  throw error;
}
