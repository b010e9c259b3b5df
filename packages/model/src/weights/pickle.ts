import { createPickleReader } from "./pickle-reader.ts";
import { InvalidPthError, UnsafePickleError } from "./pth-error.ts";

/** What can be a key of a dictionary. */
export type PickleKey = null | boolean | number | bigint | string;
/** What a pickle can hold; lists and tuples are arrays, dictionaries are maps. They may hold each other in circles. */
export type PickleValue = PickleKey | Uint8Array | readonly PickleValue[] | PickleDictionary | object;
/** A dict or OrderedDict. */
export type PickleDictionary = Map<PickleKey, PickleValue>;

/** A class or function that a pickle names and that is allowed. It is a name, never anything that runs. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** An object of an allowed class, with its attributes. */
export class PickleInstance {
  readonly global: PickleGlobal;
  readonly attributes: PickleDictionary = new Map();

  constructor(global: PickleGlobal) {
    this.global = global;
  }
}

/** What a pickle may ask for. */
export interface PickleAllowance {
  /** Names that may stand for themselves, as arguments; "module.name". */
  readonly names: ReadonlySet<string>;
  /** What stands for a call of a function or class, by "module.name". */
  readonly calls: ReadonlyMap<string, (args: readonly PickleValue[]) => PickleValue>;
  /** What a persistent id stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/** Each bounds what one byte of a pickle could otherwise make arbitrarily large. */
const LIMITS = { stack: 1_000_000, memo: 1_000_000, marks: 1_000, integerBytes: 32 } as const;

/**
 * Reads a pickle (protocols 2 to 5) without running anything: names are looked up in the allowance, calls are answered
 * by it, and every other name and opcode is refused. Time and memory are linear in the bytes.
 *
 * @throws {UnsafePickleError} naming what was asked for
 * @throws {InvalidPthError} when the bytes are no pickle
 */
export function unpickle(bytes: Uint8Array, allowance: PickleAllowance): PickleValue {
  const reader = createPickleReader(bytes);
  const stack: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();

  const push = (value: PickleValue): void => {
    if (stack.length >= LIMITS.stack) throw new InvalidPthError(`Expected at most ${LIMITS.stack} values on the stack`);
    stack.push(value);
  };
  const pop = (): PickleValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw new InvalidPthError("Expected a value on the pickle's stack");
    return stack.pop()!;
  };
  const popMark = (): PickleValue[] => {
    const mark = marks.pop();
    if (mark === undefined) throw new InvalidPthError("Expected a mark on the pickle's stack");
    return stack.splice(mark);
  };
  const top = (): PickleValue => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const remember = (at: number): void => {
    if (memo.size >= LIMITS.memo) throw new InvalidPthError(`Expected at most ${LIMITS.memo} remembered values`);
    memo.set(at, top());
  };
  const recall = (at: number): void => {
    if (!memo.has(at)) throw new InvalidPthError(`Expected a remembered value ${at}, there is none`);
    push(memo.get(at)!);
  };
  const append = (items: readonly PickleValue[]): void => {
    const list = top();
    if (!Array.isArray(list)) throw new InvalidPthError("Expected a list to append to");
    for (const item of items) list.push(item);
  };
  const setItems = (items: readonly PickleValue[]): void => {
    const dictionary = top();
    if (!(dictionary instanceof Map) || items.length % 2 !== 0) {
      throw new InvalidPthError("Expected a dictionary, and keys with values");
    }
    for (let i = 0; i < items.length; i += 2) dictionary.set(keyFrom(items[i]!), items[i + 1]!);
  };
  const name = (module: PickleValue, attribute: PickleValue): PickleGlobal => {
    if (typeof module !== "string" || typeof attribute !== "string") {
      throw new InvalidPthError("Expected a module and a name as texts");
    }
    const global = `${module}.${attribute}`;
    if (!allowance.names.has(global) && !allowance.calls.has(global)) throw new UnsafePickleError(global);
    return new PickleGlobal(global);
  };
  const call = (): void => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) {
      throw new InvalidPthError("Expected the name and the arguments of a call");
    }
    const answer = allowance.calls.get(callee.name);
    if (answer === undefined) {
      throw new UnsafePickleError(callee.name, `The pickle calls "${callee.name}", which may only be named`);
    }
    push(answer(args));
  };
  const build = (): void => {
    const state = pop();
    const object = top();
    // An OrderedDict's attributes, such as the versions of a state dict, say nothing about weights.
    if (object instanceof Map) return;
    if (!(object instanceof PickleInstance) || !(state instanceof Map)) {
      throw new UnsafePickleError("__setstate__", "The pickle sets the state of an object that has none");
    }
    for (const [key, value] of state) object.attributes.set(key, value);
  };

  for (;;) {
    const opcode = reader.byte();
    switch (opcode) {
      case 0x80: // PROTO
        if (reader.byte() > 5) throw new InvalidPthError("Expected a pickle of protocol 2 to 5");
        break;
      case 0x95: // FRAME
        reader.skip(8);
        break;
      case 0x2e: // STOP
        return pop();
      case 0x28: // MARK
        if (marks.length >= LIMITS.marks) throw new InvalidPthError(`Expected at most ${LIMITS.marks} nested values`);
        marks.push(stack.length);
        break;
      case 0x30: // POP
        pop();
        break;
      case 0x31: // POP_MARK
        popMark();
        break;
      case 0x4e: // NONE
        push(null);
        break;
      case 0x88: // NEWTRUE
        push(true);
        break;
      case 0x89: // NEWFALSE
        push(false);
        break;
      case 0x4a: // BININT
        push(reader.int32());
        break;
      case 0x4b: // BININT1
        push(reader.byte());
        break;
      case 0x4d: // BININT2
        push(reader.uint16());
        break;
      case 0x8a: // LONG1
        push(reader.long(reader.length(1, LIMITS.integerBytes)));
        break;
      case 0x8b: // LONG4
        push(reader.long(reader.length(4, LIMITS.integerBytes)));
        break;
      case 0x47: // BINFLOAT
        push(reader.float64());
        break;
      case 0x55: // SHORT_BINSTRING
        push(reader.text(reader.byte()));
        break;
      case 0x54: // BINSTRING
      case 0x58: // BINUNICODE
        push(reader.text(reader.length(4)));
        break;
      case 0x8c: // SHORT_BINUNICODE
        push(reader.text(reader.byte()));
        break;
      case 0x8d: // BINUNICODE8
        push(reader.text(reader.length(8)));
        break;
      case 0x43: // SHORT_BINBYTES
        push(reader.bytes(reader.byte()));
        break;
      case 0x42: // BINBYTES
        push(reader.bytes(reader.length(4)));
        break;
      case 0x7d: // EMPTY_DICT
        push(new Map());
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        push([]);
        break;
      case 0x85: // TUPLE1
        push([pop()]);
        break;
      case 0x86: // TUPLE2
        push([pop(), pop()].reverse());
        break;
      case 0x87: // TUPLE3
        push([pop(), pop(), pop()].reverse());
        break;
      case 0x74: // TUPLE
        push(popMark());
        break;
      case 0x61: // APPEND
        append([pop()]);
        break;
      case 0x65: // APPENDS
        append(popMark());
        break;
      case 0x73: {
        // SETITEM
        const value = pop();
        setItems([pop(), value]);
        break;
      }
      case 0x75: // SETITEMS
        setItems(popMark());
        break;
      case 0x71: // BINPUT
        remember(reader.byte());
        break;
      case 0x72: // LONG_BINPUT
        remember(reader.uint32());
        break;
      case 0x94: // MEMOIZE
        remember(memo.size);
        break;
      case 0x68: // BINGET
        recall(reader.byte());
        break;
      case 0x6a: // LONG_BINGET
        recall(reader.uint32());
        break;
      case 0x63: {
        // GLOBAL
        const module = reader.line();
        push(name(module, reader.line()));
        break;
      }
      case 0x93: {
        // STACK_GLOBAL
        const attribute = pop();
        push(name(pop(), attribute));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        call();
        break;
      case 0x62: // BUILD
        build();
        break;
      case 0x51: // BINPERSID
        push(allowance.persistent(pop()));
        break;
      default: {
        const hex = `0x${opcode.toString(16).padStart(2, "0")}`;
        throw new UnsafePickleError(`opcode ${hex}`, `The pickle has opcode ${hex}, which no checkpoint needs`);
      }
    }
  }
}

function keyFrom(value: PickleValue): PickleKey {
  if (value === null || typeof value !== "object") return value;
  throw new InvalidPthError("Expected a text, a number or a truth value as a dictionary's key");
}
