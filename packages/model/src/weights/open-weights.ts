import { open } from "node:fs/promises";
import { readBytes } from "./file-bytes.ts";
import { openPth } from "./pth-file.ts";
import { openSafetensors } from "./safetensors-file.ts";
import type { WeightFile } from "./weight-file.ts";

/** Thrown when a file is of no format that weights are read from. */
export class UnknownWeightFormatError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNKNOWN_WEIGHT_FORMAT";

  constructor(head: Uint8Array) {
    super(
      `Expected a PyTorch checkpoint or a safetensors file, got one that begins with "${Buffer.from(head).toString("hex")}"`,
    );
    this.name = "UnknownWeightFormatError";
  }
}

/**
 * Opens a file of weights, whatever its name: its first bytes tell the format. Close it with `await using`.
 *
 *     await using file = await openWeights("checkpoint-19.pth");
 *     const { config, parameters, report } = await importWeights(file, { actionUnits: [1, 2, 4, 6, 9, 12, 25, 26] });
 *
 * @throws {UnknownWeightFormatError} @throws {InvalidPthError} @throws {UnsafePickleError} @throws {LegacyPthError}
 * @throws {InvalidSafetensorsError}
 */
export async function openWeights(path: string): Promise<WeightFile> {
  const head = await firstBytes(path);
  // A safetensors header is JSON after its length; a pickle begins with 0x80, a zip with "PK".
  if (head.length > 8 && head[8] === 0x7b) return openSafetensors(path);
  const isZip = head[0] === 0x50 && head[1] === 0x4b;
  if (isZip || head[0] === 0x80) return openPth(path);
  throw new UnknownWeightFormatError(head);
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    return await readBytes(file, 0, Math.min(9, (await file.stat()).size));
  } finally {
    await file.close();
  }
}
