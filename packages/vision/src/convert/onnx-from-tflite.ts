import { createGraphBuilder, type GraphBuilder } from "@duchenne/onnx";
import {
  readTflite,
  type TfliteModel,
  type TfliteOperator,
  type TfliteTensor,
  UnsupportedModelError,
} from "./tflite.ts";

/** What a converted operator needs: the graph under construction and the names of its inputs. */
interface Conversion {
  readonly graph: GraphBuilder;
  readonly operator: TfliteOperator;
  /** Name of the ONNX value of input `index`. */
  input(index: number): string;
  /** Constant numbers of input `index`. */
  constant(index: number): { readonly values: Float32Array; readonly shape: readonly number[] };
  readonly inputShape: (index: number) => readonly number[];
}

/** Writes one operator; the last node takes `name`. */
type Converter = (conversion: Conversion, name: string) => void;

const elementwise =
  (opType: string): Converter =>
  ({ graph, operator, input }, name) => {
    graph.node(
      opType,
      operator.inputs.map((_, i) => input(i)),
      {},
      name,
    );
  };

const binary =
  (opType: string): Converter =>
  (conversion, name) => {
    withActivation(conversion, conversion.operator.option(0, "int8", 0), name, (target) => {
      conversion.graph.node(opType, [conversion.input(0), conversion.input(1)], {}, target);
    });
  };

/** The operators of the face landmark and blendshape models; anything else is refused. */
const converters: Readonly<Record<string, Converter>> = {
  ADD: binary("Add"),
  SUB: binary("Sub"),
  MUL: binary("Mul"),
  DIV: binary("Div"),
  NEG: elementwise("Neg"),
  SQRT: elementwise("Sqrt"),
  LOGISTIC: elementwise("Sigmoid"),
  RSQRT: ({ graph, input }, name) => {
    graph.node("Reciprocal", [graph.node("Sqrt", [input(0)])], {}, name);
  },
  SQUARED_DIFFERENCE: ({ graph, input }, name) => {
    const difference = graph.node("Sub", [input(0), input(1)]);
    graph.node("Mul", [difference, difference], {}, name);
  },
  PRELU: ({ graph, input }, name) => {
    graph.node("PRelu", [input(0), input(1)], {}, name);
  },
  MEAN: ({ graph, operator, input, constant }, name) => {
    const axes = [...constant(1).values];
    graph.node("ReduceMean", [input(0)], { axes, keepdims: operator.option(0, "int8", 0) }, name);
  },
  SUM: ({ graph, operator, input, constant }, name) => {
    const axes = graph.integers([...constant(1).values]);
    graph.node("ReduceSum", [input(0), axes], { keepdims: operator.option(0, "int8", 0) }, name);
  },
  RESHAPE: ({ graph, input, constant }, name) => {
    graph.node("Reshape", [input(0), graph.integers([...constant(1).values])], {}, name);
  },
  TRANSPOSE: ({ graph, input, constant }, name) => {
    graph.node("Transpose", [input(0)], { perm: [...constant(1).values] }, name);
  },
  CONCATENATION: (conversion, name) => {
    const { graph, operator, input } = conversion;
    withActivation(conversion, operator.option(1, "int8", 0), name, (target) => {
      const inputs = operator.inputs.map((_, i) => input(i));
      graph.node("Concat", inputs, { axis: operator.option(0, "int32", 0) }, target);
    });
  },
  PAD: ({ graph, input, constant }, name) => {
    // Rows of (before, after) per axis become all befores, then all afters.
    const { values, shape } = constant(1);
    const axes = Array.from({ length: shape[0] ?? 0 }, (_, i) => i);
    const pads = [...axes.map((i) => values[2 * i]!), ...axes.map((i) => values[2 * i + 1]!)];
    graph.node("Pad", [input(0), graph.integers(pads)], { mode: "constant" }, name);
  },
  MAX_POOL_2D: (conversion, name) => {
    const { graph, operator, input } = conversion;
    withActivation(conversion, operator.option(5, "int8", 0), name, (target) => {
      const pooled = graph.node("MaxPool", [channelsFirst(graph, input(0))], {
        kernel_shape: [operator.option(4, "int32", 0), operator.option(3, "int32", 0)],
        strides: [operator.option(2, "int32", 1), operator.option(1, "int32", 1)],
        auto_pad: paddingName(operator.option(0, "int8", 0)),
      });
      graph.node("Transpose", [pooled], { perm: [0, 2, 3, 1] }, target);
    });
  },
  CONV_2D: (conversion, name) => convolution(conversion, name, { activation: 3, dilation: 4, depthwise: false }),
  DEPTHWISE_CONV_2D: (conversion, name) =>
    convolution(conversion, name, { activation: 4, dilation: 5, depthwise: true }),
  STRIDED_SLICE: ({ graph, operator, input, constant }, name) => {
    if (operator.option(2, "int32", 0) !== 0 || operator.option(3, "int32", 0) !== 0) {
      throw new UnsupportedModelError("STRIDED_SLICE with an ellipsis or a new axis is not one the converter knows");
    }
    const set = (field: number, axis: number) => ((operator.option(field, "int32", 0) >> axis) & 1) === 1;
    const begin = [...constant(1).values];
    const end = [...constant(2).values];
    const axes = begin.map((_, axis) => axis);
    const shrunk = axes.filter((axis) => set(4, axis));
    const starts = axes.map((axis) => (set(0, axis) && !set(4, axis) ? 0 : begin[axis]!));
    const ends = axes.map((axis) => (set(4, axis) ? begin[axis]! + 1 : set(1, axis) ? 2 ** 31 - 1 : end[axis]!));
    const inputs = [starts, ends, axes, [...constant(3).values]].map((values) => graph.integers(values));
    const sliced = graph.node("Slice", [input(0), ...inputs], {}, shrunk.length === 0 ? name : undefined);
    if (shrunk.length > 0) graph.node("Squeeze", [sliced, graph.integers(shrunk)], {}, name);
  },
};

/**
 * Turns a TensorFlow Lite face model into ONNX (operator set 17) with the same inputs, outputs and layout (NHWC);
 * half-precision weights become single precision. Inputs are named "input", "input_1", ..., outputs "output", ....
 *
 * @throws {UnsupportedModelError} naming the first operator that is not one of the face models'
 */
export function onnxFromTflite(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const model = readTflite(bytes);
  const graph = createGraphBuilder({ name, opset: 17 });
  const values = new Map<number, string>();
  const dequantized = dequantizedConstants(model);
  const outputName = (index: number) => {
    const position = model.outputs.indexOf(index);
    return position < 0 ? `value_${index}` : position === 0 ? "output" : `output_${position}`;
  };
  for (const [i, index] of model.inputs.entries()) {
    values.set(index, graph.input(i === 0 ? "input" : `input_${i}`, tensorAt(model, index).shape));
  }

  const constantAt = (index: number) => {
    const tensor = dequantized.get(index) ?? tensorAt(model, index);
    if (tensor.data === undefined)
      throw new UnsupportedModelError(`Expected a constant, got computed "${tensor.name}"`);
    return { values: numbersOf(tensor), shape: tensor.shape };
  };
  const valueAt = (index: number): string => {
    const known = values.get(index);
    if (known !== undefined) return known;
    const constant = constantAt(index);
    const made = graph.constant(`constant_${index}`, constant.shape, constant.values);
    values.set(index, made);
    return made;
  };

  for (const operator of model.operators) {
    const output = operator.outputs[0] ?? -1;
    if (operator.type === "DEQUANTIZE" && dequantized.has(output)) continue;
    const convert = converters[operator.type];
    if (convert === undefined)
      throw new UnsupportedModelError(`${operator.type} is not an operator the converter knows`);
    const made = outputName(output);
    convert(
      {
        graph,
        operator,
        input: (i) => valueAt(operator.inputs[i] ?? -1),
        constant: (i) => constantAt(operator.inputs[i] ?? -1),
        inputShape: (i) => tensorAt(model, operator.inputs[i] ?? -1).shape,
      },
      made,
    );
    values.set(output, made);
  }
  for (const index of model.outputs) graph.output(outputName(index), tensorAt(model, index).shape);
  return graph.build();
}

function tensorAt(model: TfliteModel, index: number): TfliteTensor {
  const tensor = model.tensors[index];
  if (tensor === undefined)
    throw new UnsupportedModelError(`Expected a tensor of 0..${model.tensors.length - 1}, got ${index}`);
  return tensor;
}

/** Outputs of DEQUANTIZE on constants: the half-precision weights. */
function dequantizedConstants(model: TfliteModel): Map<number, TfliteTensor> {
  const found = new Map<number, TfliteTensor>();
  for (const { type, inputs, outputs } of model.operators) {
    const source = type === "DEQUANTIZE" ? tensorAt(model, inputs[0] ?? -1) : undefined;
    if (source?.data !== undefined) found.set(outputs[0] ?? -1, source);
  }
  return found;
}

function numbersOf({ name, type, data, shape }: TfliteTensor): Float32Array {
  const view = new DataView(data!.buffer, data!.byteOffset, data!.byteLength);
  const width = { float32: 4, float16: 2, int32: 4, int64: 8 }[type];
  const length = shape.reduce((product, size) => product * size, 1);
  if (view.byteLength !== length * width) {
    throw new UnsupportedModelError(`Expected ${length * width} bytes for "${name}", got ${view.byteLength}`);
  }
  return Float32Array.from({ length }, (_, i) => {
    if (type === "float16") return view.getFloat16(2 * i, true);
    if (type === "int32") return view.getInt32(4 * i, true);
    if (type === "int64") return Number(view.getBigInt64(8 * i, true));
    return view.getFloat32(4 * i, true);
  });
}

function channelsFirst(graph: GraphBuilder, value: string): string {
  return graph.node("Transpose", [value], { perm: [0, 3, 1, 2] });
}

function paddingName(code: number): string {
  return code === 0 ? "SAME_UPPER" : "VALID";
}

function withActivation(
  { graph }: Conversion,
  code: number,
  name: string,
  make: (target: string | undefined) => void,
): void {
  if (code === 0) {
    make(name);
  } else if (code === 1) {
    make(`${name}_linear`);
    graph.node("Relu", [`${name}_linear`], {}, name);
  } else {
    throw new UnsupportedModelError(`Fused activation ${code} is not one the converter knows`);
  }
}

function convolution(
  conversion: Conversion,
  name: string,
  fields: { readonly activation: number; readonly dilation: number; readonly depthwise: boolean },
): void {
  const { graph, operator, input, constant, inputShape } = conversion;
  const { values, shape } = constant(1);
  // TensorFlow Lite: [O, kh, kw, I], depthwise [1, kh, kw, O]. ONNX: [O, I / group, kh, kw].
  const [first = 1, height = 1, width = 1, last = 1] = shape;
  const outputs = fields.depthwise ? last : first;
  const perGroup = fields.depthwise ? 1 : last;
  const weights = new Float32Array(values.length);
  for (let o = 0, to = 0; o < outputs; o++) {
    for (let i = 0; i < perGroup; i++) {
      for (let at = 0; at < height * width; at++) {
        weights[to++] = values[fields.depthwise ? at * last + o : (o * height * width + at) * last + i]!;
      }
    }
  }
  const inputs = [
    channelsFirst(graph, input(0)),
    graph.constant(`${name}_weights`, [outputs, perGroup, height, width], weights),
  ];
  if ((operator.inputs[2] ?? -1) >= 0) inputs.push(input(2));
  const made = graph.node("Conv", inputs, {
    kernel_shape: [height, width],
    strides: [operator.option(2, "int32", 1), operator.option(1, "int32", 1)],
    dilations: [operator.option(fields.dilation + 1, "int32", 1), operator.option(fields.dilation, "int32", 1)],
    group: fields.depthwise ? inputShape(0)[3]! : 1,
    auto_pad: paddingName(operator.option(0, "int8", 0)),
  });
  withActivation(conversion, operator.option(fields.activation, "int8", 0), name, (target) => {
    graph.node("Transpose", [made], { perm: [0, 2, 3, 1] }, target);
  });
}
