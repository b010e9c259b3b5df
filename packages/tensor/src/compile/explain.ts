import { type Fields, readFields } from "../wire.ts";
import type { RecordedStep } from "./record-step.ts";

/** The time of all nodes of one operation. */
export interface OperationTime {
  /** As it ran: TensorFlow's optimiser fuses operations ("_FusedMatMul"). */
  readonly operation: string;
  readonly count: number;
  readonly milliseconds: number;
}

/** What a recorded function consists of. */
export interface Explanation {
  readonly nodes: number;
  /** How often each operation occurs, the most frequent first. */
  readonly operations: ReadonlyMap<string, number>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly updates: readonly string[];
  /** What the step reads from outside: names of variables, "tensor" for others. */
  readonly captures: readonly string[];
  /**
   * Of one traced run, the longest first, if asked for. Nodes run side by side: the sum may exceed the step's time. On a GPU:
   * of the kernels there. A step for XLA is traced as it is without it.
   */
  readonly times?: readonly OperationTime[];
}

/** @param metadata a serialized RunMetadata of a traced run */
export function explain(recorded: RecordedStep, metadata: Uint8Array | undefined): Explanation {
  const operations = [...recorded.operations].sort(([, a], [, b]) => b - a);
  return {
    nodes: operations.reduce((sum, [, count]) => sum + count, 0),
    operations: new Map(operations),
    inputs: recorded.inputNames,
    outputs: recorded.outputNames,
    updates: recorded.updateNames,
    captures: recorded.captures.map((capture) => (capture.kind === "variable" ? capture.variable.name : "tensor")),
    ...(metadata && { times: timesFrom(metadata) }),
  };
}

/** What a device did in a step: DeviceStepStats. */
interface DeviceStats {
  readonly name: string;
  readonly nodes: readonly Fields[];
}

/** All kernels of a GPU, each once more in the list of its stream. */
const ALL_STREAMS = /\/device:GPU:\d+\/stream:all$/;

/** Sums up a RunMetadata's step_stats (tensorflow/core/framework/step_stats.proto). */
export function timesFrom(metadata: Uint8Array): OperationTime[] {
  const devices = readFields(metadata)
    .messages(1)
    .flatMap((stepStats) => readFields(stepStats).messages(1).map(deviceStatsFrom));
  const kernels = devices.filter(({ name }) => ALL_STREAMS.test(name));
  const times = new Map<string, { count: number; nanoseconds: number }>();
  // Where there is a GPU, its nodes of the host are how long starting the kernels took.
  for (const node of (kernels.length > 0 ? kernels : devices).flatMap(({ nodes }) => nodes)) {
    const { operation, nanoseconds } = kernels.length > 0 ? kernelTime(node) : nodeTime(node);
    if (operation === undefined) continue;
    const time = times.get(operation) ?? { count: 0, nanoseconds: 0 };
    time.count++;
    time.nanoseconds += nanoseconds;
    times.set(operation, time);
  }
  return [...times]
    .map(([operation, { count, nanoseconds }]) => ({ operation, count, milliseconds: nanoseconds / 1e6 }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function deviceStatsFrom(bytes: Uint8Array): DeviceStats {
  const fields = readFields(bytes);
  return { name: fields.text(1), nodes: fields.messages(2).map(readFields) };
}

/** A node that ran on a CPU: "n12_MatMul = _FusedMatMul(n3_Reshape, ...)", op_start_rel_nanos and op_end_rel_nanos. */
function nodeTime(node: Fields) {
  return { operation: /= ([\w>]+)\(/.exec(node.text(8))?.[1], nanoseconds: node.number(15) - node.number(14) };
}

/** A kernel, after the node that started it: "n12_MatMul:MatMul", op_start_rel_micros and op_end_rel_micros. */
function kernelTime(node: Fields) {
  return { operation: /:([\w>]+)$/.exec(node.text(1))?.[1], nanoseconds: 1000 * (node.number(4) - node.number(3)) };
}
