/** The fields of a protocol buffer message by their numbers. */
export interface Fields {
  messages(field: number): readonly Uint8Array[];
  /** The last value of a varint field; 0 when it is absent. */
  number(field: number): number;
  /** The last value of a string field; "" when it is absent. */
  text(field: number): string;
}

const decoder = new TextDecoder();

/**
 * Reads a message in protocol buffers' wire format without its definition. TensorFlow's definitions are in no npm package,
 * and a few of its fields are all that is needed.
 */
export function readFields(bytes: Uint8Array): Fields {
  const values = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    const value = wireType === 0 ? varint() : take(wireType === 1 ? 8 : wireType === 5 ? 4 : varint());
    const field = Math.floor(tag / 8);
    const known = values.get(field);
    if (known === undefined) values.set(field, [value]);
    else known.push(value);
  }
  const last = (field: number) => values.get(field)?.at(-1);
  return {
    messages: (field) => (values.get(field) ?? []).filter((value) => typeof value !== "number"),
    number(field) {
      const value = last(field);
      return typeof value === "number" ? value : 0;
    },
    text(field) {
      const value = last(field);
      return typeof value === "object" ? decoder.decode(value) : "";
    },
  };
}
