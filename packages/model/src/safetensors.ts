import { ELEMENT_BYTES, type ElementType, floatsFrom, isFloatType } from "./element-type.ts";
import type { Parameter, ParameterSet } from "./parameters.ts";

/** Thrown when bytes are not a safetensors file, or one of numbers that are not read. */
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
  /** Its floats of 16, 32 and 64 bits, in 32. Tensors of integers are left out. */
  readonly parameters: Map<string, Parameter>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** A tensor of a file, by its place. */
export interface SafetensorsEntry {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly position: number;
  readonly sizeBytes: number;
}

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

/** Reads a safetensors file in memory; tensors of integers are left out. @throws {InvalidSafetensorsError} */
export function readSafetensors(bytes: Uint8Array): SafetensorsContent {
  const length = safetensorsHeaderLength(bytes, bytes.length);
  const { entries, metadata } = safetensorsEntries(bytes.subarray(8, 8 + length), bytes.length);
  const parameters = new Map<string, Parameter>();
  for (const [name, { type, shape, position, sizeBytes }] of entries) {
    if (!isFloatType(type)) continue;
    // A copy: a Buffer's slice would share its memory.
    parameters.set(name, {
      shape,
      data: floatsFrom(type, new Uint8Array(bytes.subarray(position, position + sizeBytes))),
    });
  }
  return { parameters, metadata };
}

/**
 * The length of the header, which follows the first eight bytes.
 *
 * @param head at least the first eight bytes of the file
 * @throws {InvalidSafetensorsError}
 */
export function safetensorsHeaderLength(head: Uint8Array, fileBytes: number): number {
  if (head.length < 8) throw new InvalidSafetensorsError(`Expected at least 8 bytes, got ${head.length}`);
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(fileBytes - 8, MAX_HEADER_BYTES))) {
    throw new InvalidSafetensorsError(`Expected a header within ${fileBytes} bytes, it says ${length}`);
  }
  return Number(length);
}

/**
 * The tensors that a header tells of, in its order. Together they fill the file: none reaches past it or shares bytes.
 *
 * @throws {InvalidSafetensorsError}
 */
export function safetensorsEntries(
  header: Uint8Array,
  fileBytes: number,
): { readonly entries: ReadonlyMap<string, SafetensorsEntry>; readonly metadata: Readonly<Record<string, string>> } {
  const start = 8 + header.length;
  const { __metadata__: metadata = {}, ...told } = parseHeader(header);
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of Object.entries(told)) {
    const { dtype, shape, data_offsets: offsets } = entry as Partial<Record<string, unknown>>;
    if (typeof dtype !== "string" || !(dtype in ELEMENT_BYTES)) {
      const types = Object.keys(ELEMENT_BYTES).join(", ");
      throw new InvalidSafetensorsError(`Expected "${name}" in one of ${types}, got ${String(dtype)}`);
    }
    if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      throw new InvalidSafetensorsError(`Expected "${name}" with a shape and two offsets`);
    }
    const type = dtype as ElementType;
    const [from, to] = offsets as [number, number];
    const sizeBytes = shape.reduce((product, each) => product * each, ELEMENT_BYTES[type]);
    if (to - from !== sizeBytes || start + to > fileBytes) {
      throw new InvalidSafetensorsError(`Expected ${sizeBytes} bytes of "${name}" within the file, got ${from}..${to}`);
    }
    entries.set(name, { type, shape, position: start + from, sizeBytes });
  }
  let end = start;
  for (const [name, { position, sizeBytes }] of [...entries].sort(([, a], [, b]) => a.position - b.position)) {
    if (position !== end) throw new InvalidSafetensorsError(`Expected "${name}" at byte ${end}, got ${position}`);
    end += sizeBytes;
  }
  if (end !== fileBytes) throw new InvalidSafetensorsError(`Expected a file of ${end} bytes, got ${fileBytes}`);
  return { entries, metadata: metadata as Record<string, string> };
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
