import { expect, it } from "vitest";
import { xlaByDefault } from "./xla-by-default.ts";

const CPU = { type: "CPU" };
const GPU = { type: "GPU" };

it.each([
  ["", [CPU], undefined, false],
  ["", [CPU, GPU], undefined, true],
  ["", [CPU, GPU], "1", true],
  ["/device:GPU:0", [CPU, GPU], undefined, true],
  ["/device:CPU:0", [CPU, GPU], undefined, false],
])(
  "XLA is the default on a GPU: device %j of %j, NVIDIA_TF32_OVERRIDE %j: %j",
  (device, devices, override, expected) => {
    expect(xlaByDefault(device, devices, override)).toBe(expected);
  },
);

it("XLA is not the default where TensorFloat-32 was forbidden, which it does not know", () => {
  expect(xlaByDefault("", [CPU, GPU], "0")).toBe(false);
});
