/** Brings TensorFlow and the binding into the per-user cache. Loads neither. */
export {
  findTensorFlow,
  provisionTensorFlow,
  TENSORFLOW_SOURCES,
  type TensorFlowFiles,
  tensorFlowMissing,
} from "./provision-tensorflow.ts";
