import { open } from "node:fs/promises";
import { ELEMENT_BYTES, floatsFrom } from "../element-type.ts";
import type { Parameter } from "../parameters.ts";
import { readBytes } from "./file-bytes.ts";
import type { PickleDictionary, PickleKey, PickleValue } from "./pickle.ts";
import { InvalidPthError, LegacyPthError, printable } from "./pth-error.ts";
import { readStoredZip, type StoredEntry } from "./stored-zip.ts";
import { namespaceAttributes, TorchTensor, unpickleTorch } from "./torch-pickle.ts";
import type { StoredMoments, StoredOptimizer, StoredTensor, TrainingArgument, WeightFile } from "./weight-file.ts";

/** A ViT-H checkpoint's pickle, optimizer included, has 200 KB. */
const MAX_PICKLE_BYTES = 64 * 2 ** 20;
/** The integer that files in PyTorch's old format begin with, pickled. */
const LEGACY_MAGIC = Buffer.from("80028a0a6cfc9c46f9206aa85019", "hex");

/**
 * Opens a PyTorch checkpoint (a zip, as 1.6 and newer write it): either a dictionary with "model" and, of a training,
 * "optimizer", "epoch" and "args", or a state dict alone. Nothing in the file is run, and only what is asked for is
 * read, so files larger than memory open at once.
 *
 * @throws {InvalidPthError} @throws {UnsafePickleError} @throws {LegacyPthError}
 */
export async function openPth(path: string): Promise<WeightFile> {
  const file = await open(path, "r");
  try {
    const head = await readBytes(file, 0, Math.min(LEGACY_MAGIC.length, (await file.stat()).size));
    if (LEGACY_MAGIC.equals(head)) throw new LegacyPthError();
    const entries = await readStoredZip(file);
    const root = rootOf(entries);
    const pickle = entries.get(`${root}/data.pkl`)!;
    if (pickle.size > MAX_PICKLE_BYTES) {
      throw new InvalidPthError(`Expected a pickle of at most ${MAX_PICKLE_BYTES} bytes, got ${pickle.size}`);
    }
    await checkByteOrder(entries.get(`${root}/byteorder`));
    const content = contentFrom(unpickleTorch(await readBytes(file, pickle.position, pickle.size)));
    checkTotal(content, (await file.stat()).size);
    return {
      format: "pth",
      ...content,
      read: (tensor) => readTensor(tensor, `${root}/data`, entries),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }

  async function checkByteOrder(entry: StoredEntry | undefined): Promise<void> {
    if (entry === undefined) return;
    const order = Buffer.from(await readBytes(file, entry.position, Math.min(entry.size, 16))).toString("latin1");
    if (order !== "little") throw new InvalidPthError(`Expected little-endian numbers, got "${printable(order)}"`);
  }

  async function readTensor(
    tensor: StoredTensor,
    folder: string,
    entries: ReadonlyMap<string, StoredEntry>,
  ): Promise<Parameter> {
    const { storage, offset, shape, strides } = torchTensor(tensor);
    const bytes = ELEMENT_BYTES[storage.type];
    const entry = entries.get(`${folder}/${storage.key}`);
    if (entry?.size !== storage.count * bytes) {
      throw new InvalidPthError(
        `Expected ${storage.count * bytes} bytes of the storage ${storage.key}, got ${entry?.size ?? "none"}`,
      );
    }
    const size = shape.reduce((product, length) => product * length, 1);
    const last = shape.reduce((place, length, axis) => place + (length - 1) * strides[axis]!, 0);
    const span = size === 0 ? 0 : last + 1;
    const floats = floatsFrom(storage.type, await readBytes(file, entry.position + offset * bytes, span * bytes));
    return { shape, data: isContiguous(shape, strides) ? floats : gather(floats, shape, strides, size) };
  }
}

/** The folder that everything in the zip stands in: "archive" in PyTorch 1.8, the file's name in 2.x. */
function rootOf(entries: ReadonlyMap<string, StoredEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new InvalidPthError(`Expected a PyTorch zip with one data.pkl in a folder, got ${pickles.length}`);
  }
  const root = pickles[0]!.split("/")[0]!;
  if (entries.has(`${root}/constants.pkl`)) {
    throw new InvalidPthError(
      "Expected a checkpoint, the file is a TorchScript program; save its state_dict() instead",
    );
  }
  return root;
}

type Content = Pick<WeightFile, "tensors" | "optimizer" | "epoch" | "trainingArguments">;

function contentFrom(value: PickleValue): Content {
  if (!(value instanceof Map)) throw new InvalidPthError("Expected a dictionary at the top of the pickle");
  const top: PickleDictionary = value;
  const model = top.get("model") ?? top;
  if (!(model instanceof Map)) throw new InvalidPthError('Expected "model" to be a state dict');
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of model as PickleDictionary) {
    if (typeof name !== "string" || !(tensor instanceof TorchTensor)) {
      throw new InvalidPthError(
        `Expected a state dict of tensors, or one as "model"; "${printable(String(name))}" is none`,
      );
    }
    tensors.set(name, stored(tensor));
  }
  if (tensors.size === 0) throw new InvalidPthError("Expected a state dict of tensors, it has none");
  if (model === top) return { tensors, optimizer: undefined, epoch: undefined, trainingArguments: {} };
  const epoch = top.get("epoch");
  return {
    tensors,
    optimizer: optimizerFrom(top.get("optimizer")),
    epoch: typeof epoch === "number" ? epoch : undefined,
    trainingArguments: argumentsFrom(top.get("args")),
  };
}

function argumentsFrom(value: PickleValue | undefined): Record<string, TrainingArgument> {
  const plain = [...(namespaceAttributes(value) ?? [])].filter(
    (entry): entry is [string, TrainingArgument] =>
      typeof entry[0] === "string" && ["string", "number", "boolean"].includes(typeof entry[1]),
  );
  return Object.fromEntries(plain);
}

/** Tensors may share storages, but not so that a small file holds a large model. */
function checkTotal({ tensors, optimizer }: Content, fileBytes: number): void {
  const moments = [...(optimizer?.state.values() ?? [])].flatMap(({ first, second }) => [first, second]);
  const sizes = [...tensors.values(), ...moments].map(({ shape, type }) =>
    shape.reduce((product, length) => product * length, ELEMENT_BYTES[type]),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > fileBytes)
    throw new InvalidPthError(`Expected tensors of at most the file's ${fileBytes} bytes, got ${total}`);
}

/** `torch.optim.Optimizer.state_dict()`: {"state": {number: ...}, "param_groups": [{"params": [number, ...]}]} */
function optimizerFrom(value: PickleValue | undefined): StoredOptimizer | undefined {
  const states = member(value, "state");
  const groups = member(value, "param_groups");
  if (!(states instanceof Map) || !Array.isArray(groups)) return undefined;
  const numbers = groups.map((group: PickleValue) => {
    const params = member(group, "params");
    if (Array.isArray(params) && params.every((each) => typeof each === "number")) return params as number[];
    throw new InvalidPthError("Expected the optimizer's groups to list their parameters by number");
  });
  const state = new Map<number, StoredMoments>();
  for (const [number, each] of states as PickleDictionary) {
    const first = member(each, "exp_avg");
    const second = member(each, "exp_avg_sq");
    const step = member(each, "step");
    // Another optimizer than Adam: its weights can be read all the same.
    if (typeof number !== "number" || !(first instanceof TorchTensor) || !(second instanceof TorchTensor))
      return undefined;
    if (typeof step !== "number" && !(step instanceof TorchTensor)) return undefined;
    const steps = typeof step === "number" ? step : stored(step);
    state.set(number, { step: steps, first: stored(first), second: stored(second) });
  }
  return { groups: numbers, state };
}

function member(value: PickleValue | undefined, key: PickleKey): PickleValue | undefined {
  return value instanceof Map ? (value as PickleDictionary).get(key) : undefined;
}

interface PthTensor extends StoredTensor {
  readonly tensor: TorchTensor;
}

function stored(tensor: TorchTensor): PthTensor {
  return { shape: tensor.shape, type: tensor.storage.type, tensor };
}

function torchTensor(tensor: StoredTensor): TorchTensor {
  if ("tensor" in tensor && tensor.tensor instanceof TorchTensor) return tensor.tensor;
  throw new TypeError("Expected a tensor of this file");
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies a view, such as a transposed one, into the order of its own axes. */
function gather(
  source: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  size: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(size);
  const index = shape.map(() => 0);
  let place = 0;
  for (let i = 0; i < size; i++) {
    out[i] = source[place]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
