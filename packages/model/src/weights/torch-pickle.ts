import type { ElementType } from "../element-type.ts";
import {
  type PickleAllowance,
  type PickleDictionary,
  PickleGlobal,
  PickleInstance,
  type PickleValue,
  unpickle,
} from "./pickle.ts";
import { InvalidPthError, printable } from "./pth-error.ts";

/** The numbers that tensors are views of. */
export interface TorchStorage {
  /** Its file below "data/". */
  readonly key: string;
  readonly type: ElementType;
  /** Elements. */
  readonly count: number;
}

/** A tensor by its place in a storage; always within it, and never larger. */
export class TorchTensor {
  readonly storage: TorchStorage;
  /** In elements, as the strides are. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: Readonly<Record<string, ElementType>> = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};
const NAMESPACE = "argparse.Namespace";
const MAX_AXES = 64;

/**
 * Reads the pickle of a PyTorch file: its tensors by place, its arguments as plain values, and nothing else.
 *
 * @throws {UnsafePickleError} @throws {InvalidPthError}
 */
export function unpickleTorch(bytes: Uint8Array): PickleValue {
  return unpickle(bytes, allowance);
}

/** The attributes of an argparse.Namespace; undefined for everything else. */
export function namespaceAttributes(value: PickleValue | undefined): PickleDictionary | undefined {
  return value instanceof PickleInstance && value.global.name === NAMESPACE ? value.attributes : undefined;
}

const allowance: PickleAllowance = {
  names: new Set(Object.keys(STORAGES)),
  calls: new Map<string, (args: readonly PickleValue[]) => PickleValue>([
    ["collections.OrderedDict", () => new Map()],
    [NAMESPACE, () => new PickleInstance(new PickleGlobal(NAMESPACE))],
    ["torch._utils._rebuild_tensor_v2", rebuildTensor],
    ["torch._utils._rebuild_parameter", rebuildParameter],
  ]),
  persistent: storageFrom,
};

/** ("storage", class, key, device, elements) */
function storageFrom(id: PickleValue): TorchStorage {
  const [kind, type, key, , count] = Array.isArray(id) ? (id as readonly PickleValue[]) : [];
  const element = type instanceof PickleGlobal ? STORAGES[type.name] : undefined;
  if (kind !== "storage" || element === undefined || typeof key !== "string" || !isSize(count)) {
    throw new InvalidPthError("Expected a storage of a known type, with its key and its elements");
  }
  if (!/^\d{1,32}$/.test(key))
    throw new InvalidPthError(`Expected a storage named by a number, got "${printable(key)}"`);
  return { key, type: element, count };
}

/** (storage, offset, shape, strides, requires_grad, hooks) */
function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): TorchTensor {
  if (!isStorage(storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    throw new InvalidPthError("Expected a tensor of a storage, an offset, a shape and strides");
  }
  if (shape.length !== strides.length || shape.length > MAX_AXES) {
    throw new InvalidPthError(`Expected as many strides as axes, at most ${MAX_AXES}, got ${strides.length}`);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  const last = shape.reduce((place, length, axis) => place + (length - 1) * strides[axis]!, offset);
  // A view with a stride of zero would be larger than what it shows.
  if (!Number.isSafeInteger(size) || size > storage.count || (size > 0 && last >= storage.count)) {
    throw new InvalidPthError(
      `Expected a tensor within its storage of ${storage.count} elements, got shape [${shape.join(", ")}] with ` +
        `strides [${strides.join(", ")}] at ${offset}`,
    );
  }
  return new TorchTensor(storage, offset, shape, strides);
}

/** (tensor, requires_grad, hooks) */
function rebuildParameter([tensor]: readonly PickleValue[]): TorchTensor {
  if (tensor instanceof TorchTensor) return tensor;
  throw new InvalidPthError("Expected a parameter of a tensor");
}

function isStorage(value: PickleValue | undefined): value is TorchStorage {
  return typeof value === "object" && value !== null && "key" in value && "count" in value && "type" in value;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: PickleValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => isSize(each));
}
