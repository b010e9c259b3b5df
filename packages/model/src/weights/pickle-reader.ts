import { InvalidPthError } from "./pth-error.ts";

/** Reads a pickle's operands in turn, each within the bytes. Methods throw InvalidPthError past the end. */
export function createPickleReader(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = 0;
  /** The place of the next bytes, which are passed over. */
  const take = (count: number): number => {
    if (count > bytes.length - at) throw new InvalidPthError(`Expected ${count} more bytes of the pickle at ${at}`);
    at += count;
    return at - count;
  };
  const decode = (part: Uint8Array): string => {
    try {
      return decoder.decode(part);
    } catch {
      throw new InvalidPthError("Expected text in UTF-8");
    }
  };
  const reader = {
    skip: (count: number): void => void take(count),
    byte: () => view.getUint8(take(1)),
    uint16: () => view.getUint16(take(2), true),
    uint32: () => view.getUint32(take(4), true),
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8), false),
    bytes(count: number) {
      const from = take(count);
      return bytes.subarray(from, from + count);
    },
    text: (count: number) => decode(reader.bytes(count)),
    length(width: 1 | 4 | 8, most: number = bytes.length): number {
      const count =
        width === 1 ? reader.byte() : width === 4 ? reader.uint32() : Number(view.getBigUint64(take(8), true));
      if (count > most) throw new InvalidPthError(`Expected at most ${most} bytes of one value, got ${count}`);
      return count;
    },
    line(): string {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) throw new InvalidPthError("Expected the end of a line");
      const text = decode(bytes.subarray(at, end));
      at = end + 1;
      return text;
    },
    /** Two's complement, little-endian. */
    long(count: number): number | bigint {
      let value = 0n;
      const part = reader.bytes(count);
      for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(part[i]!);
      if (count > 0 && part[count - 1]! >= 0x80) value -= 1n << BigInt(8 * count);
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    },
  };
  return reader;
}
