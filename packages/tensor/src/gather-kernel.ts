import type { TensorBackend } from "./backend.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * Replaces tfjs-node's kernel of tf.gather: it reads the indices to check them, which no recording can. TensorFlow's own
 * kernel checks them on the CPU; on a GPU it answers zeros for those out of range.
 */
export function replaceGatherKernel(tf: TensorFlow): void {
  tf.unregisterKernel("GatherV2", "tensorflow");
  tf.registerKernel({
    kernelName: "GatherV2",
    backendName: "tensorflow",
    kernelFunc({ inputs, attrs, backend: kernelBackend }) {
      const backend = kernelBackend as TensorBackend;
      const [axis, batchDims] = [Number(attrs?.axis), Number(attrs?.batchDims)];
      const axisTensor = tf.scalar(axis, "int32");
      const ids = backend.getInputTensorIds([inputs.x!, inputs.indices!, axisTensor]);
      const [result] = backend.binding.executeOp("GatherV2", [{ name: "batch_dims", value: batchDims }], ids, 1);
      axisTensor.dispose();
      return backend.createOutputTensor(result!);
    },
  });
}
