import type { Tensor } from "@tensorflow/tfjs";
import { expect, it } from "vitest";
import { backendOf } from "./backend.ts";
import { configProtoFrom } from "./engine-options.ts";
import { compile, devices, loadTensorFlow } from "./index.ts";
import { readFields } from "./wire.ts";

// Options are set once a process: this file has one of its own.
const options = { cpuDevices: 2, intraOpThreads: 1, interOpThreads: 1 };

it.each([
  ["intraOpThreads", 0],
  ["interOpThreads", 1.5],
  ["cpuDevices", -1],
  ["intraOpThreads", 2 ** 20],
  ["interOpThreads", Number.NaN],
])("an option out of range is refused, and others may be tried after: %s %d", async (name, value) => {
  const message = `Expected ${name} to be a whole number of 1 to 65536, got ${value}`;
  await expect(loadTensorFlow({ [name]: value })).rejects.toThrow(message);
});

it("options are set once", async () => {
  const tf = await loadTensorFlow(options);
  expect(await loadTensorFlow()).toBe(tf);
  expect(await loadTensorFlow(options)).toBe(tf);
  await expect(loadTensorFlow({ intraOpThreads: 3 })).rejects.toThrow("cannot change");
  expect(await loadTensorFlow()).toBe(tf);
});

it("options become the fields of TensorFlow's ConfigProto that they are meant for", () => {
  const config = readFields(
    configProtoFrom({ intraOpThreads: 300, interOpThreads: 2, cpuDevices: 3, gpuMemoryGrowth: false }),
  );
  expect([2, 5, 7].map((field) => config.number(field))).toEqual([300, 2, 1]);
  const [devices] = config.messages(1).map(readFields);
  expect([devices!.text(1), devices!.number(2)]).toEqual(["CPU", 3]);
  expect(config.messages(6).map((gpu) => readFields(gpu).number(4))).toEqual([0]);
  expect(readFields(readFields(configProtoFrom({})).messages(6)[0]!).number(4)).toBe(1);
});

it("a function runs on the device that it is compiled for", async () => {
  const tf = await loadTensorFlow(options);
  expect(devices(tf).map(({ name }) => name.slice(-13))).toEqual(["/device:CPU:0", "/device:CPU:1"]);
  for (const device of ["/device:CPU:0", "/device:CPU:1"]) {
    const compiled = compile(tf, {
      device,
      state: new Map(),
      step: ({ x }: { x: Tensor }) => ({ outputs: { y: x.square() } }),
    });
    const { y } = compiled.run({ x: tf.tensor([1, 2, 3]) });
    const { binding, tensorMap } = backendOf(tf);
    expect(binding.tensorDevice(tensorMap.get(y.dataId).id)).toContain(device);
    expect([...y.dataSync()]).toEqual([1, 4, 9]);
    compiled.dispose();
  }
});
