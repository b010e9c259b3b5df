import type { Tensor } from "@tensorflow/tfjs";
import { expect, it } from "vitest";
import { backendOf } from "./backend.ts";
import { compile, devices, loadTensorFlow } from "./index.ts";

// Options are set once a process: this file has one of its own.
const options = { cpuDevices: 2, intraOpThreads: 1, interOpThreads: 1 };

it("options out of range are refused, and others than the first", async () => {
  const tf = await loadTensorFlow(options);
  expect(await loadTensorFlow()).toBe(tf);
  expect(await loadTensorFlow(options)).toBe(tf);
  await expect(loadTensorFlow({ intraOpThreads: 3 })).rejects.toThrow("cannot change");
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
