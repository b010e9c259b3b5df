/** How TensorFlow is opened: once a process, by the first loadTensorFlow. */
export interface EngineOptions {
  /** Threads that share one operation's work; default: one a core. More than the other kind costs less than fewer. */
  readonly intraOpThreads?: number;
  /** Operations that run side by side; default: one a core. */
  readonly interOpThreads?: number;
  /** Devices that the CPU is split into, "/device:CPU:0" and up; default 1. For tests of placement. */
  readonly cpuDevices?: number;
  /** Takes the GPU's memory as it is needed (default) and not all at once. */
  readonly gpuMemoryGrowth?: boolean;
  /** Lets a GPU round the factors of float32 products to 10 bits (TensorFloat-32), which is faster; default true. */
  readonly tensorFloat32?: boolean;
}

/**
 * The options as TensorFlow takes them: a serialized ConfigProto (tensorflow/core/protobuf/config.proto), written by hand
 * since TensorFlow's protos are in no npm package and five fields are all that is needed.
 */
export function configProtoFrom(options: EngineOptions): Uint8Array {
  const { intraOpThreads, interOpThreads, cpuDevices, gpuMemoryGrowth = true } = options;
  const bytes = [
    ...(cpuDevices === undefined ? [] : message(1, [...message(1, [...Buffer.from("CPU")]), ...count(2, cpuDevices, "cpuDevices")])), // biome-ignore format: one entry of a map
    ...(intraOpThreads === undefined ? [] : count(2, intraOpThreads, "intraOpThreads")),
    ...(interOpThreads === undefined ? [] : count(5, interOpThreads, "interOpThreads")),
    // Within a function for the GPU, the few operations that only the CPU has (of sizes and indices) run there.
    ...count(7, 1, "softPlacement"),
    ...message(6, count(4, gpuMemoryGrowth ? 1 : 0, "gpuMemoryGrowth", 0)),
  ];
  return Uint8Array.from(bytes);
}

const MOST = 2 ** 16;

/** A varint field. @throws {RangeError} */
function count(field: number, value: number, name: string, least = 1): number[] {
  if (!Number.isInteger(value) || value < least || value > MOST) {
    throw new RangeError(`Expected ${name} to be a whole number of ${least} to ${MOST}, got ${value}`);
  }
  const bytes = [field * 8];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/** A field of bytes; those of the engine's options are short. */
function message(field: number, content: readonly number[]): number[] {
  return [field * 8 + 2, content.length, ...content];
}
