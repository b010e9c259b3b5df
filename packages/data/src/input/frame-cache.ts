import type { RgbImage } from "../image.ts";

/** Memory that several threads share to keep decoded images. */
export interface FrameCacheMemory {
  /** Int32: how much of `pixels` is taken, in blocks; then four numbers for each sample. */
  readonly table: SharedArrayBuffer;
  readonly pixels: SharedArrayBuffer;
}

/** Keeps decoded images until its memory is full; nothing is ever evicted, so what was kept stays a hit. */
export interface FrameCache {
  /** A view of the kept pixels; not to be written to. */
  get(sampleIndex: number): RgbImage | undefined;
  /** Keeps an image if there is room and no other thread does so already. */
  put(sampleIndex: number, image: RgbImage): void;
}

const BLOCK_BYTES = 256;
const HEADER = 1;
const ENTRY = 4;
const STATE = 0;
const START = 1;
const WIDTH = 2;
const HEIGHT = 3;
const EMPTY = 0;
const CLAIMED = 1;
const KEPT = 2;

/** Reserves memory; the operating system gives it page by page as it is filled. */
export function createFrameCacheMemory(sampleCount: number, bytes: number): FrameCacheMemory {
  return {
    table: new SharedArrayBuffer((HEADER + ENTRY * sampleCount) * 4),
    pixels: new SharedArrayBuffer(Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES),
  };
}

/** Opens a cache in one thread. */
export function openFrameCache({ table, pixels }: FrameCacheMemory): FrameCache {
  const entries = new Int32Array(table);
  const blocks = pixels.byteLength / BLOCK_BYTES;
  return {
    get(sampleIndex) {
      const entry = HEADER + ENTRY * sampleIndex;
      if (Atomics.load(entries, entry + STATE) !== KEPT) return undefined;
      const width = entries[entry + WIDTH]!;
      const height = entries[entry + HEIGHT]!;
      const data = new Uint8Array(pixels, entries[entry + START]! * BLOCK_BYTES, width * height * 3);
      return { width, height, data };
    },
    put(sampleIndex, { width, height, data }) {
      const entry = HEADER + ENTRY * sampleIndex;
      const needed = Math.ceil((width * height * 3) / BLOCK_BYTES);
      if (Atomics.load(entries, 0) + needed > blocks) return;
      if (Atomics.compareExchange(entries, entry + STATE, EMPTY, CLAIMED) !== EMPTY) return;
      const start = Atomics.add(entries, 0, needed);
      if (start + needed > blocks) {
        // Another thread took the last room in between.
        Atomics.sub(entries, 0, needed);
        Atomics.store(entries, entry + STATE, EMPTY);
        return;
      }
      new Uint8Array(pixels, start * BLOCK_BYTES, width * height * 3).set(data.subarray(0, width * height * 3));
      entries[entry + START] = start;
      entries[entry + WIDTH] = width;
      entries[entry + HEIGHT] = height;
      Atomics.store(entries, entry + STATE, KEPT);
    },
  };
}
