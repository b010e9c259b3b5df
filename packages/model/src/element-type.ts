/** Bytes of one element, by the names that safetensors gives the types. */
export const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
/** How a stored number is encoded. */
export type ElementType = keyof typeof ELEMENT_BYTES;

/** True for the types that weights come in. */
export function isFloatType(type: ElementType): boolean {
  return type === "F32" || type === "F16" || type === "BF16" || type === "F64";
}

/**
 * Little-endian elements as 32-bit floats: halves exactly, doubles and integers rounded to the nearest.
 *
 * @param bytes whole elements; kept by the result when they already are aligned 32-bit floats
 */
export function floatsFrom(type: ElementType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const size = ELEMENT_BYTES[type];
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const view = [aligned.buffer, aligned.byteOffset, aligned.length / size] as const;
  switch (type) {
    case "F32":
      return new Float32Array(...view);
    case "F64":
      return new Float32Array(new Float64Array(...view));
    case "F16":
      return new Float32Array(new Float16Array(...view));
    case "BF16": {
      // A bfloat16 is the upper half of a 32-bit float.
      const floats = new Float32Array(view[2]);
      const words = new Uint32Array(floats.buffer);
      for (const [i, half] of new Uint16Array(...view).entries()) words[i] = half << 16;
      return floats;
    }
    case "I64":
      return Float32Array.from(new BigInt64Array(...view), Number);
    case "I32":
      return new Float32Array(new Int32Array(...view));
    case "I16":
      return new Float32Array(new Int16Array(...view));
    case "I8":
      return new Float32Array(new Int8Array(...view));
    case "U8":
    case "BOOL":
      return new Float32Array(aligned);
  }
}
