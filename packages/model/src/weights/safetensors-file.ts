import { open } from "node:fs/promises";
import { floatsFrom } from "../element-type.ts";
import { InvalidSafetensorsError, safetensorsEntries, safetensorsHeaderLength } from "../safetensors.ts";
import { readBytes } from "./file-bytes.ts";
import type { WeightFile } from "./weight-file.ts";

/** Opens a safetensors file; only what is asked for is read. @throws {InvalidSafetensorsError} */
export async function openSafetensors(path: string): Promise<WeightFile> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = safetensorsHeaderLength(await readBytes(file, 0, Math.min(8, size)), size);
    const { entries } = safetensorsEntries(await readBytes(file, 8, length), size);
    if (entries.size === 0) throw new InvalidSafetensorsError("Expected tensors, the file has none");
    return {
      format: "safetensors",
      tensors: entries,
      optimizer: undefined,
      epoch: undefined,
      trainingArguments: {},
      async read(tensor) {
        if (!("position" in tensor && "sizeBytes" in tensor)) throw new TypeError("Expected a tensor of this file");
        const { position, sizeBytes } = tensor as { position: number; sizeBytes: number };
        return { shape: tensor.shape, data: floatsFrom(tensor.type, await readBytes(file, position, sizeBytes)) };
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
