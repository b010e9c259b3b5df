// Misuses the addon in every way that JavaScript can, then records and runs functions, and prints what came of it as JSON.
// Runs under AddressSanitizer, as a process of its own: node addon-misuse.ts ADDON
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [addon = ""] = process.argv.slice(2);
// Loose on purpose: what is given to it here, no type would allow.
const binding = createRequire(import.meta.url)(addon) as Record<string, (...args: unknown[]) => unknown>;
const FLOAT = 1;
const INT32 = 3;

const refused: Record<string, string> = {};
function expectRefusal(what: string, misuse: () => unknown): void {
  try {
    misuse();
    refused[what] = "accepted";
  } catch (error) {
    refused[what] = String((error as { code?: unknown }).code ?? error);
  }
}

expectRefusal("used before it is open", () => binding.executeOp!("NoOp", [], [], 0));
expectRefusal("opened with garbage", () => binding.open!(Uint8Array.of(255, 255, 255)));
binding.open!(new Uint8Array());
expectRefusal("opened twice", () => binding.open!(new Uint8Array()));

const create = (shape: unknown, dtype: unknown, values: unknown) =>
  binding.createTensor!(shape, dtype, values) as number;
const execute = (...args: unknown[]) => binding.executeOp!(...args) as { id: number; shape: number[] }[];
const x = create([2, 2], FLOAT, Float32Array.of(1, 2, 3, 4));
const freed = create([1], FLOAT, Float32Array.of(1));
binding.deleteTensor!(freed);

const strange = [
  undefined,
  null,
  0,
  -1,
  1.5,
  1e300,
  Number.NaN,
  2 ** 52,
  10n,
  "text",
  true,
  {},
  [],
  [{}],
  () => 0,
  Symbol("s"),
];
const functions = [
  ...["createTensor", "deleteTensor", "tensorDataSync", "tensorDevice", "executeOp", "open", "loadLibrary", "preload"],
  ...[
    "recordInput",
    "recordConstant",
    "endRecording",
    "abandonRecording",
    "runFunction",
    "traceFunction",
    "sharingMemory",
  ],
  ...["deleteFunction", "loadSavedModel", "deleteSavedModel", "runSavedModel"],
];
let strangeCalls = 0;
function callStrangely(names: readonly string[]): void {
  for (const name of names) {
    for (const first of strange) {
      for (const second of strange) {
        // The tensor that the rest works with stays.
        if (name === "deleteTensor" && first === x) continue;
        try {
          binding[name]!(first, second, first, second);
        } catch (error) {
          if (!(error instanceof Error)) throw new Error(`${name} threw ${String(error)}`);
        }
        strangeCalls++;
      }
    }
  }
}
callStrangely(functions);

expectRefusal("freed twice", () => binding.deleteTensor!(freed));
expectRefusal("freed tensor read", () => binding.tensorDataSync!(freed));
expectRefusal("freed tensor as input", () => execute("Square", [], [freed], 1));
expectRefusal("unknown tensor", () => binding.tensorDataSync!(12345));
expectRefusal("unknown operation", () => execute("NoSuchOperation", [], [x], 1));
expectRefusal("unknown attribute", () => execute("Square", [{ name: "nothing", value: 1 }], [x], 1));
expectRefusal("attribute of another kind", () => execute("Cast", [{ name: "Truncate", value: 3 }], [x], 1));
expectRefusal("attribute that throws", () =>
  execute("Cast", [{ name: "DstT", get value() { throw Object.assign(new Error("mine"), { code: "thrown" }); } }], [x], 1)); // biome-ignore format: one line
expectRefusal("missing attribute", () => execute("Cast", [], [x], 1));
expectRefusal("too few inputs", () => execute("MatMul", [], [x], 1));
expectRefusal("too many inputs", () => execute("Square", [], [x, x], 1));
expectRefusal("inputs that are no list", () => execute("Square", [], x, 1));
expectRefusal("too few outputs", () => execute("Unique", [], [create([2], FLOAT, Float32Array.of(1, 1))], 0));
expectRefusal("negative number of outputs", () => execute("Square", [], [x], -1));
expectRefusal("very many outputs", () => execute("Square", [], [x], 2 ** 31));
expectRefusal("types that do not fit", () => execute("Add", [], [x, create([2], INT32, Int32Array.of(1, 2))], 1));
expectRefusal("shapes that do not fit", () =>
  execute("MatMul", [], [x, create([3, 1], FLOAT, new Float32Array(3))], 1),
);
expectRefusal("wrong typed array", () => create([2], FLOAT, Int32Array.of(1, 2)));
expectRefusal("wrong length", () => create([3], FLOAT, Float32Array.of(1, 2)));
expectRefusal("detached buffer", () => {
  const values = Float32Array.of(1, 2);
  structuredClone(values, { transfer: [values.buffer] });
  return create([2], FLOAT, values);
});
expectRefusal("negative shape", () => create([-1], FLOAT, Float32Array.of(1)));
expectRefusal("overflowing shape", () => create([2 ** 40, 2 ** 40], FLOAT, Float32Array.of(1)));
expectRefusal("overflowing shape behind a 0", () => create([0, 2 ** 52, 2 ** 52], FLOAT, new Float32Array(0)));
expectRefusal("shape of 255 sizes", () => create(new Array(255).fill(1), FLOAT, Float32Array.of(1)));
expectRefusal("shape attribute of 300 sizes", () =>
  execute("Placeholder", [{ name: "dtype", value: FLOAT }, { name: "shape", value: new Array(300).fill(1) }], [], 1)); // biome-ignore format: one line
expectRefusal("a list that says it has 2^32 - 1 elements", () =>
  create(new Array(2 ** 32 - 1), FLOAT, new Float32Array(0)),
);
expectRefusal("unknown type", () => create([1], 99, Float32Array.of(1)));
expectRefusal("strings that are none", () => create([1], 7, [1]));
expectRefusal("no library", () => binding.loadLibrary!("/nowhere/lib.so"));
expectRefusal("a library that is none", () => binding.loadLibrary!(import.meta.filename));
expectRefusal("tensor that does not fit into memory", () => execute("Fill", [], [create([2], INT32, Int32Array.of(2 ** 30, 2 ** 20)), create([], FLOAT, Float32Array.of(1))], 1)); // biome-ignore format: one line

// Recording.
expectRefusal("input outside a recording", () => binding.recordInput!([1], FLOAT));
expectRefusal("end without a beginning", () => binding.endRecording!("f", [], false));
binding.beginRecording!();
expectRefusal("nested recording", () => binding.beginRecording!());
expectRefusal("tensor from outside as input", () => execute("Square", [], [x], 1));
callStrangely(["createTensor", "deleteTensor", "executeOp", "recordInput", "recordConstant", "runFunction"]);
const symbol = binding.recordInput!([2, 2], FLOAT) as { id: number };
expectRefusal("value of a recording read", () => binding.tensorDataSync!(symbol.id));
expectRefusal("shape known only at run time", () => execute("Where", [], [symbol.id], 1));
expectRefusal("types that do not fit, recorded", () => execute("Add", [], [symbol.id, (binding.recordConstant!([1], INT32, Int32Array.of(1)) as { id: number }).id], 1)); // biome-ignore format: one line
expectRefusal("unknown output", () => binding.endRecording!("f", [symbol.id, 2 ** 52 + 1e6], false));
// Reading an argument may run JavaScript, which may end what the call works on.
const withGetter = (ends: () => unknown) => Object.defineProperty([0], 0, { get() { ends(); return 1; } }); // biome-ignore format: one line
for (const name of ["recordInput", "recordConstant"]) {
  binding.beginRecording!();
  const shape = withGetter(() => binding.abandonRecording!());
  expectRefusal(`${name} whose shape ends the recording`, () => binding[name]!(shape, FLOAT, Float32Array.of(1)));
}
for (const name of ["runFunction", "traceFunction"]) {
  binding.beginRecording!();
  const input = binding.recordInput!([1], FLOAT) as { id: number };
  const { id } = binding.endRecording!("f", [input.id], false) as { id: number };
  const inputs = withGetter(() => binding.deleteFunction!(id));
  expectRefusal(`${name} whose input deletes the function`, () => binding[name]!(id, inputs, ""));
}
expectRefusal("freed tensor among those whose memory is compared", () => binding.sharingMemory!([freed]));
expectRefusal("value of an ended recording", () => binding.tensorDataSync!(symbol.id));
binding.deleteTensor!(symbol.id);

// Whose memory is shared: x's by its view, not its copy's.
const [view] = execute("Reshape", [], [x, create([1], INT32, Int32Array.of(4))], 1);
const [copy] = execute("DeepCopy", [], [x], 1);
const empty = create([0], FLOAT, new Float32Array(0));
const sharing = binding.sharingMemory!([x, copy!.id, view!.id, empty]) as number[];
const expectedSharing = [x, view!.id];

let sum = 0;
const before = (binding.memoryStatistics!() as { tensors: number }).tensors;
for (let round = 0; round < 60; round++) {
  const size = 1 + (round % 7);
  binding.beginRecording!();
  const input = binding.recordInput!([size, size], FLOAT) as { id: number };
  const constant = binding.recordConstant!([size, size], FLOAT, new Float32Array(size * size).fill(round)) as {
    id: number;
  };
  const [product] = execute("MatMul", [], [input.id, constant.id], 1);
  const [packed] = execute("Pack", [], [product!.id, input.id, constant.id], 1);
  const { id } = binding.endRecording!(`round${round}`, [packed!.id, input.id, constant.id], false) as { id: number };
  const tensor = create([size, size], FLOAT, new Float32Array(size * size).fill(2));
  for (let run = 0; run < 3; run++) {
    const outputs = binding.runFunction!(id, [tensor], "") as { id: number; shape: number[] }[];
    for (const output of outputs) {
      sum += (binding.tensorDataSync!(output.id) as Float32Array).reduce((a, b) => a + b, 0);
      binding.deleteTensor!(output.id);
    }
  }
  if (round === 0) {
    binding.traceFunction!(id, [tensor]);
    expectRefusal("function with too few inputs", () => binding.runFunction!(id, [], ""));
    expectRefusal("function with another shape", () => binding.runFunction!(id, [create([3], FLOAT, new Float32Array(3))], "")); // biome-ignore format: one line
    expectRefusal("function on no device", () => binding.runFunction!(id, [tensor], "/device:TPU:7"));
    expectRefusal("function with a freed input", () => binding.runFunction!(id, [freed], ""));
  }
  binding.deleteFunction!(id);
  expectRefusal("deleted function", () => binding.runFunction!(id, [tensor], ""));
  binding.deleteTensor!(tensor);
}
const strings = create([2], 7, [Uint8Array.of(104, 105), new Uint8Array(40).fill(120)]);
const [joined] = execute("StringLength", [], [strings], 1);
sum += (binding.tensorDataSync!(joined!.id) as Int32Array).reduce((a, b) => a + b, 0);
const copied = (binding.tensorDataSync!(strings) as Uint8Array[]).map(({ length }) => length);
for (const id of [strings, joined!.id]) binding.deleteTensor!(id);
// One tensor was made to test another shape.
const leaked = (binding.memoryStatistics!() as { tensors: number }).tensors - before - 1;
const sanitized = readFileSync("/proc/self/maps", "utf8").includes("libasan");
process.stdout.write(
  JSON.stringify({ refused, strangeCalls, sharing, expectedSharing, sum, copied, leaked, sanitized }),
);
