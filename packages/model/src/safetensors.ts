import type { Parameter, ParameterSet } from "./parameters.ts";

/** Thrown when bytes are not a safetensors file of 32-bit floats. */
export class InvalidSafetensorsError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_SAFETENSORS";

  constructor(message: string) {
    super(message);
    this.name = "InvalidSafetensorsError";
  }
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly parameters: Map<string, Parameter>;
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_HEADER_BYTES = 100_000_000;

/**
 * Writes parameters in the safetensors format (huggingface/safetensors): the header's length as a 64-bit integer, the
 * header in JSON, the data; all little-endian. Equal parameters give equal bytes.
 */
export function writeSafetensors(
  parameters: ParameterSet,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let end = 0;
  for (const [name, { shape, data }] of parameters) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(json, 8);
  let at = 8 + headerBytes;
  for (const { data } of parameters.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Reads a safetensors file of 32-bit floats. @throws {InvalidSafetensorsError} */
export function readSafetensors(bytes: Uint8Array): SafetensorsContent {
  if (bytes.length < 8) throw new InvalidSafetensorsError(`Expected at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(bytes.length - 8, MAX_HEADER_BYTES))) {
    throw new InvalidSafetensorsError(`Expected a header within ${bytes.length} bytes, it says ${length}`);
  }
  const start = 8 + Number(length);
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes.subarray(8, start));
  const parameters = new Map<string, Parameter>();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = entry as Partial<Record<string, unknown>>;
    if (dtype !== "F32") throw new InvalidSafetensorsError(`Expected "${name}" in F32, got ${String(dtype)}`);
    if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      throw new InvalidSafetensorsError(`Expected "${name}" with a shape and two offsets`);
    }
    const [from, to] = offsets as [number, number];
    const size = shape.reduce((product, each) => product * each, 1);
    if (to - from !== 4 * size || start + to > bytes.length) {
      throw new InvalidSafetensorsError(`Expected ${4 * size} bytes of "${name}" within the file, got ${from}..${to}`);
    }
    // A copy: the view must start at a multiple of four, and a Buffer's slice would share its memory.
    const data = new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer);
    parameters.set(name, { shape, data });
  }
  return { parameters, metadata: metadata as Record<string, string> };
}

function parseHeader(bytes: Uint8Array): Record<string, object> {
  try {
    const header: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof header === "object" && header !== null && !Array.isArray(header))
      return header as Record<string, object>;
  } catch {
    // Told below.
  }
  throw new InvalidSafetensorsError("Expected a header in JSON");
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}
