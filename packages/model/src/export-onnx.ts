import { createGraphBuilder } from "@duchenne/onnx";
import { LAYER_NORM_EPSILON, outputCount, patchCount, type VitConfig } from "./config.ts";
import { checkParameters, type ParameterSet } from "./parameters.ts";
import { addInt8MatMul } from "./quantization/int8-mat-mul.ts";
import type { ActivationRange } from "./quantization/quantize-values.ts";

/** How a model is written. */
export interface OnnxOptions {
  /** Of `linearLayers`, those that compute in int8, each with the range of its inputs. Default: none. */
  readonly int8?: ReadonlyMap<string, ActivationRange>;
  /** Also answers what goes into each of `linearLayers`, [B, N + 1, inputs], as `tapOf` names it. Default: no. */
  readonly taps?: boolean;
}

/** The output with the inputs of a linear layer. */
export function tapOf(layer: string): string {
  return `${layer}.input`;
}

/**
 * Writes a detector or classifier as an ONNX model: `image` [B, 3, S, S], normalised, to `logits` [B, C] and the pooled,
 * normalised `features` [B, D]. The identity head stays out: it serves training alone. It is fp32 but for the layers that
 * are told to be int8.
 *
 * @throws {ParameterMismatchError} when the parameters are not the configuration's
 */
export function exportOnnx(
  config: VitConfig,
  parameters: ParameterSet,
  { int8 = new Map(), taps = false }: OnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  checkParameters(config, parameters);
  const { dim, depth, heads, imageSize, patchSize } = config;
  const patches = patchCount(config);
  const headDim = dim / heads;
  const graph = createGraphBuilder({
    name: `vit-${config.variant}`,
    opset: 17,
    documentation: JSON.stringify(config),
  });
  const parameter = (name: string) => {
    const { shape, data } = parameters.get(name)!;
    return graph.constant(name, shape, data);
  };
  const linear = (x: string, name: string) => {
    const { shape, data } = parameters.get(`${name}.weight`)!;
    const [outputs, inputs] = shape as [number, number];
    if (taps) {
      graph.node("Identity", [x], {}, tapOf(name));
      graph.output(tapOf(name), ["B", patches + 1, inputs]);
    }
    const range = int8.get(name);
    let product: string;
    if (range !== undefined) product = addInt8MatMul(graph, x, { name, weight: data, inputs, outputs, range });
    else {
      const weight = graph.constant(`${name}.weight.T`, [inputs, outputs], transpose(data, outputs, inputs));
      product = graph.node("MatMul", [x, weight]);
    }
    return graph.node("Add", [product, parameter(`${name}.bias`)]);
  };
  const layerNorm = (x: string, name: string, output?: string) =>
    graph.node(
      "LayerNormalization",
      [x, parameter(`${name}.weight`), parameter(`${name}.bias`)],
      { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } },
      output,
    );
  /** Exact: x/2 (1 + erf(x / sqrt 2)), node by node as ONNX Runtime looks for it: it makes one kernel of these and the bias. */
  const half = graph.scalar(0.5);
  const one = graph.scalar(1);
  const rootTwo = graph.scalar(Math.SQRT2);
  const gelu = (x: string) =>
    graph.node("Mul", [
      graph.node("Mul", [x, half]),
      graph.node("Add", [graph.node("Erf", [graph.node("Div", [x, rootTwo])]), one]),
    ]);
  const splitHeads = graph.integers([0, 0, 3, heads, headDim]);
  const mergeHeads = graph.integers([0, 0, dim]);
  const scale = graph.scalar(headDim ** -0.5);
  const select = [0, 1, 2].map((i) => graph.constant(`qkv_${i}`, [], BigInt64Array.of(BigInt(i))));
  const attention = (x: string, name: string) => {
    const qkv = graph.node("Transpose", [graph.node("Reshape", [linear(x, `${name}.qkv`), splitHeads])], {
      perm: [2, 0, 3, 1, 4], // [3, B, K, N + 1, D / K]
    });
    const [q, k, v] = select.map((i) => graph.node("Gather", [qkv, i], { axis: 0 })) as [string, string, string];
    const scores = graph.node("MatMul", [
      graph.node("Mul", [q, scale]),
      graph.node("Transpose", [k], { perm: [0, 1, 3, 2] }),
    ]);
    const mixed = graph.node("MatMul", [graph.node("Softmax", [scores], { axis: -1 }), v]); // [B, K, N + 1, D / K]
    const merged = graph.node("Reshape", [graph.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }), mergeHeads]);
    return linear(merged, `${name}.proj`);
  };

  const image = graph.input("image", ["B", 3, imageSize, imageSize]);
  const projected = graph.node(
    "Conv",
    [image, parameter("patch_embed.proj.weight"), parameter("patch_embed.proj.bias")],
    { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] },
  );
  const tokens = graph.node(
    "Transpose",
    [graph.node("Reshape", [projected, graph.integers([0, dim, patches])])],
    { perm: [0, 2, 1] }, // [B, N, D]
  );
  const batch = graph.node("Gather", [graph.node("Shape", [image]), graph.integers([0])], { axis: 0 });
  const clsShape = graph.node("Concat", [batch, graph.integers([1, dim])], { axis: 0 });
  const cls = graph.node("Expand", [parameter("cls_token"), clsShape]);
  let x = graph.node("Add", [graph.node("Concat", [cls, tokens], { axis: 1 }), parameter("pos_embed")]);
  for (let i = 0; i < depth; i++) {
    x = graph.node("Add", [x, attention(layerNorm(x, `blocks.${i}.norm1`), `blocks.${i}.attn`)]);
    const hidden = gelu(linear(layerNorm(x, `blocks.${i}.norm2`), `blocks.${i}.mlp.fc1`));
    x = graph.node("Add", [x, linear(hidden, `blocks.${i}.mlp.fc2`)]);
  }
  const patchTokens = graph.node("Slice", [x, graph.integers([1]), graph.integers([patches + 1]), graph.integers([1])]);
  const pooled = graph.node("ReduceMean", [patchTokens], { axes: [1], keepdims: 0 }); // [B, D]
  const features = layerNorm(pooled, "fc_norm", "features");
  const weights = [parameter("head.weight"), parameter("head.bias")];
  graph.node("Gemm", [features, ...weights], { transB: 1 }, "logits");
  graph.output("logits", ["B", outputCount(config)]);
  graph.output("features", ["B", dim]);
  return graph.build();
}

/** [rows, columns] to [columns, rows]. */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return out;
}
