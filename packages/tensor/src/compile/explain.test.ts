import { expect, it } from "vitest";
import { timesFrom } from "./explain.ts";

/** A field in protocol buffers' wire format; numbers and lengths below 128. */
function field(number: number, value: number | string | readonly number[]): number[] {
  if (typeof value === "number") return [number * 8, value];
  const bytes = typeof value === "string" ? [...Buffer.from(value)] : value;
  return [
    number * 8 + 2,
    ...(bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) + 128, bytes.length >> 7]),
    ...bytes,
  ];
}
const device = (name: string, ...nodes: readonly number[][]) =>
  field(1, [...field(1, name), ...nodes.flatMap((node) => field(2, node))]);
const metadata = (...devices: readonly number[][]) => Uint8Array.from(field(1, devices.flat()));

/** As TensorFlow writes them for a node on the host and a kernel on the GPU. */
const onHost = (label: string, start: number, end: number) => [
  ...field(8, label),
  ...field(14, start),
  ...field(15, end),
];
const onGpu = (name: string, kernel: string, micros: number) => [
  ...field(1, name),
  ...field(8, kernel),
  ...field(4, micros),
];

const CPU = "/job:localhost/replica:0/task:0/device:CPU:0";
const GPU = "/job:localhost/replica:0/task:0/device:GPU:0";
const host = [onHost("n1_MatMul = MatMul(n0)", 10, 30), onHost("n2_Mul = Mul(n1)", 40, 45)];

it("the times of a step on the CPU are those of its nodes", () => {
  const nodes = [...host, onHost("n3_Mul = Mul(n2)", 45, 55), onHost("_SOURCE", 0, 9)];
  expect(timesFrom(metadata(device(CPU, ...nodes)))).toEqual([
    { operation: "MatMul", count: 1, milliseconds: 20e-6 },
    { operation: "Mul", count: 2, milliseconds: 15e-6 },
  ]);
});

it("the times of a step on a GPU are those of its kernels, each counted once, not of starting them", () => {
  const kernels = [onGpu("n1_MatMul:MatMul", "nvjet_sm90 regs:168", 90), onGpu("n2_Mul:Mul", "Mul_GPU regs:26", 7)];
  const streams = [device("/device:GPU:0/stream:13", ...kernels), device("/device:GPU:0/stream:all", ...kernels)];
  expect(timesFrom(metadata(device(GPU, ...host), device(CPU), ...streams))).toEqual([
    { operation: "MatMul", count: 1, milliseconds: 0.09 },
    { operation: "Mul", count: 1, milliseconds: 0.007 },
  ]);
});
