import { createHash } from "node:crypto";

/** A seeded generator of random numbers whose state can be stored and restored. */
export interface Random {
  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
  /** A uniform permutation of 0..count-1 (Fisher and Yates). */
  permutation(count: number): Uint32Array;
  /** The state: pass it to `createRandom` to continue from here. */
  state(): RandomState;
}

/** The four 32-bit words of a generator. */
export type RandomState = readonly [number, number, number, number];

/**
 * Makes a generator: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its
 * state taken from the sha256 of the seed. Written by hand because the state must be four plain integers that a
 * checkpoint can hold, and the draws the same on every platform.
 *
 * @param seed parts that name the stream, such as `[seed, "order", epoch]`, or the state of an earlier generator
 */
export function createRandom(seed: readonly (number | bigint | string)[] | { readonly state: RandomState }): Random {
  let [a, b, c, d] = "state" in seed ? seed.state : stateFromSeed(seed);

  function next(): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11);
    return result;
  }

  const random: Random = {
    uniform: () => (next() * 0x200000 + (next() >>> 11)) / 2 ** 53,
    integer: (bound) => Math.floor(random.uniform() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()),
    permutation(count) {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        const swapped = order[i]!;
        order[i] = order[j]!;
        order[j] = swapped;
      }
      return order;
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
  return random;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function stateFromSeed(parts: readonly (number | bigint | string)[]): RandomState {
  const digest = createHash("sha256")
    .update(JSON.stringify(parts.map((part) => `${typeof part}:${part}`)))
    .digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)];
}
