import type { Tensor } from "@tensorflow/tfjs";
import { backendOf } from "./backend.ts";

/** TensorFlow's numbers of element types (tensorflow/c/tf_datatype.h). */
const NUMBERS = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
  variant: 21,
  uint64: 23,
} as const;

/** What the elements of a tensor are. */
export type ElementType = keyof typeof NUMBERS;

const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number as number, name as ElementType]));

/** @throws {RangeError} for a type that this engine does not know */
export function elementTypeName(number: number): ElementType {
  const name = NAMES.get(number);
  if (name === undefined) throw new RangeError(`There is no element type ${number}`);
  return name;
}

/** @throws {RangeError} for a type that this engine does not know */
export function elementTypeNumber(name: string): number {
  const number = (NUMBERS as Record<string, number>)[name];
  if (number === undefined) throw new RangeError(`There is no element type "${name}"`);
  return number;
}

/**
 * What a tensor's elements are in TensorFlow. tf.js has no bfloat16: such a tensor has the dtype "float32" there, and is
 * told apart by this.
 */
export function elementType(tf: { backend(): unknown }, x: Tensor): ElementType {
  return elementTypeName(backendOf(tf).tensorMap.get(x.dataId).dtype);
}
