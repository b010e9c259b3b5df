import type { Tensor } from "@tensorflow/tfjs";
import { elementType } from "../element-type.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Precision } from "./autocast.ts";

/** A tensor in a precision; itself when it is in it. It has no gradient of its own. */
export function castTo(tf: TensorFlow, x: Tensor, precision: Precision): Tensor {
  return elementType(tf, x) === precision ? x : rawOp(tf, "Cast", [x], { DstT: precision })[0];
}
