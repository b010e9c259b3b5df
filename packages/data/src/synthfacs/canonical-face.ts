import { readFileSync } from "node:fs";
import { canonicalFaceFile } from "./canonical-face-file.ts";

/** Vertices of MediaPipe's canonical face; vertex i is landmark i of the landmark model. */
export const CANONICAL_VERTICES = 468;

/** A neutral adult face: x to the subject's left (the picture's right), y up, z to the viewer, in centimetres. */
export interface CanonicalFace {
  /** [468 * 3] */
  readonly positions: Float32Array;
  /** [468 * 2]: u to the right, v down, 0..1. */
  readonly uvs: Float32Array;
  /** [898 * 3]; eyes and mouth are closed over. */
  readonly triangles: Uint16Array;
}

let face: CanonicalFace | undefined;

/**
 * The canonical face of MediaPipe's geometry pipeline (Apache-2.0), read once.
 *
 * @throws {CanonicalFaceMissingError} when set-up did not bring it
 */
export function canonicalFace(): CanonicalFace {
  face ??= parseCanonicalFace(readFileSync(canonicalFaceFile()));
  return face;
}

/** Reads the mesh (field 1, proto mediapipe.face_geometry.Mesh3d) of the pipeline's metadata. */
function parseCanonicalFace(bytes: Buffer): CanonicalFace {
  const mesh = fields(bytes).find(({ field }) => field === 1)?.bytes;
  const vertices: number[] = [];
  const indices: number[] = [];
  for (const { field, value } of mesh === undefined ? [] : fields(mesh)) {
    if (field === 3) vertices.push(value);
    if (field === 4) indices.push(value);
  }
  if (vertices.length !== CANONICAL_VERTICES * 5) {
    throw new Error(`Expected ${CANONICAL_VERTICES} vertices of 5 numbers, got ${vertices.length} numbers`);
  }
  const positions = new Float32Array(CANONICAL_VERTICES * 3);
  const uvs = new Float32Array(CANONICAL_VERTICES * 2);
  for (let i = 0; i < CANONICAL_VERTICES; i++) {
    for (let c = 0; c < 3; c++) positions[3 * i + c] = vertices[5 * i + c]!;
    uvs[2 * i] = vertices[5 * i + 3]!;
    uvs[2 * i + 1] = vertices[5 * i + 4]!;
  }
  return { positions, uvs, triangles: Uint16Array.from(indices) };
}

/** The fields of a protobuf message: numbers of fixed 32-bit floats and varints, bytes of the others. */
function fields(message: Buffer): { readonly field: number; readonly value: number; readonly bytes: Buffer }[] {
  const found: { field: number; value: number; bytes: Buffer }[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; at < message.length; shift += 7) {
      const byte = message[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Error("Expected a whole number, got the end of the message");
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    let value = 0;
    let bytes = message.subarray(0, 0);
    if (tag % 8 === 0) value = varint();
    else if (tag % 8 === 2) {
      const length = varint();
      bytes = message.subarray(at, at + length);
      at += length;
    } else if (tag % 8 === 5) {
      value = message.readFloatLE(at);
      at += 4;
    } else throw new Error(`Expected a float, a whole number or bytes, got wire type ${tag % 8}`);
    found.push({ field, value, bytes });
  }
  return found;
}
