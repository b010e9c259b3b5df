import { readFields } from "../wire.ts";
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
  /** Of one traced run, the longest first, if asked for. Nodes run side by side: the sum may exceed the step's time. */
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

/** Sums up a RunMetadata's step_stats (tensorflow/core/framework/step_stats.proto). */
function timesFrom(metadata: Uint8Array): OperationTime[] {
  const times = new Map<string, { count: number; nanoseconds: number }>();
  for (const stepStats of readFields(metadata).messages(1)) {
    for (const deviceStats of readFields(stepStats).messages(1)) {
      for (const nodeStats of readFields(deviceStats).messages(2)) {
        const node = readFields(nodeStats);
        // "n12_MatMul = _FusedMatMul(n3_Reshape, ...)"
        const operation = /= ([\w>]+)\(/.exec(node.text(8))?.[1];
        if (operation === undefined) continue;
        const time = times.get(operation) ?? { count: 0, nanoseconds: 0 };
        time.count++;
        time.nanoseconds += node.number(15) - node.number(14);
        times.set(operation, time);
      }
    }
  }
  return [...times]
    .map(([operation, { count, nanoseconds }]) => ({ operation, count, milliseconds: nanoseconds / 1e6 }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
