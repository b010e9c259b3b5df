import { mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeights } from "./open-weights.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-pth-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Opcodes of pickles, as texts of bytes. */
const MARK = "(";
const STOP = ".";
const global = (module: string, name: string) => `c${module}\n${name}\n`;
const text = (value: string) => `X${uint32(value.length)}${value}`;
const integer = (value: number) => `J${uint32(value)}`;
const tuple = (...parts: string[]) => `${MARK}${parts.join("")}t`;
const dictionary = (...parts: string[]) => `}${MARK}${parts.join("")}u`;
const storage = (key: string, count: number, type = "FloatStorage") =>
  `${tuple(text("storage"), global("torch", type), text(key), text("cpu"), integer(count))}Q`;
const tensor = (from: string, offset: number, shape: number[], strides: number[]) =>
  `${global("torch._utils", "_rebuild_tensor_v2")}${tuple(
    from,
    integer(offset),
    tuple(...shape.map(integer)),
    tuple(...strides.map(integer)),
    "\x89",
    "}",
  )}R`;

function uint32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("latin1");
}
const bytesOf = (body: string) => new Uint8Array(Buffer.from(`\x80\x02${body}`, "latin1"));
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** A zip of a pickle and storages. */
function archive(pickle: string, storages: Record<string, Uint8Array> = {}, more: Zippable = {}): Uint8Array {
  const files: Zippable = { "archive/data.pkl": bytesOf(pickle), ...more };
  for (const [key, bytes] of Object.entries(storages)) files[`archive/data/${key}`] = bytes;
  return zipSync(files, { level: 0 });
}
let files = 0;
async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${++files}.pth`);
  await writeFile(path, bytes);
  return path;
}
async function failureOf(bytes: Uint8Array): Promise<{ reason?: string; message: string }> {
  try {
    await using file = await openWeights(await written(bytes));
    for (const each of file.tensors.values()) await file.read(each);
  } catch (error) {
    return error as { reason?: string; message: string };
  }
  throw new Error("The file was read");
}
async function only(bytes: Uint8Array) {
  await using file = await openWeights(await written(bytes));
  const [first] = file.tensors.values();
  return file.read(first!);
}

describe("a PyTorch file", () => {
  const counted = { "0": floats(0, 1, 2, 3, 4, 5) };
  const state = (value: string) => `${dictionary(text("w"), value)}${STOP}`;

  it("is read through offsets and strides", async () => {
    const read = async (...view: [number, number[], number[]]) =>
      Array.from((await only(archive(state(tensor(storage("0", 6), ...view)), counted))).data);
    expect(await read(0, [2, 3], [3, 1])).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await read(0, [3, 2], [1, 3])).toEqual([0, 3, 1, 4, 2, 5]);
    expect(await read(1, [2, 2], [3, 1])).toEqual([1, 2, 4, 5]);
    expect(await read(5, [], [])).toEqual([5]);
    expect(await read(6, [0, 4], [4, 1])).toEqual([]);
    expect(await read(1, [1, 2], [77, 2])).toEqual([1, 3]);
  });

  it("is read in halves, doubles and integers", async () => {
    const read = async (type: string, bytes: ArrayBufferView) => {
      const whole = new Uint8Array(bytes.buffer as ArrayBuffer);
      return Array.from((await only(archive(state(tensor(storage("7", 2, type), 0, [2], [1])), { "7": whole }))).data);
    };
    expect(await read("HalfStorage", Float16Array.of(0.333251953125, -65504))).toEqual([0.333251953125, -65504]);
    expect(await read("BFloat16Storage", Uint16Array.of(0x3f80, 0xc2f7))).toEqual([1, -123.5]);
    expect(await read("DoubleStorage", Float64Array.of(0.1, 1e300))).toEqual([
      Math.fround(0.1),
      Number.POSITIVE_INFINITY,
    ]);
    expect(await read("LongStorage", BigInt64Array.of(3n, -4n))).toEqual([3, -4]);
    expect(await read("BoolStorage", Uint8Array.of(1, 0))).toEqual([1, 0]);
  });

  it("is refused when a tensor does not lie within its storage", async () => {
    for (const view of [
      [0, [7], [1]],
      [4, [3], [1]],
      [0, [2, 3], [4, 1]],
      [0, [1_000_000, 1_000_000], [0, 0]],
      [0, [-1], [1]],
      [0, [2], [-1]],
      [0, [2], [1, 1]],
    ] as [number, number[], number[]][]) {
      expect(await failureOf(archive(state(tensor(storage("0", 6), ...view)), counted))).toMatchObject({
        reason: "INVALID_PTH",
      });
    }
    const shorter = archive(state(tensor(storage("0", 7), 0, [7], [1])), counted);
    expect((await failureOf(shorter)).message).toContain("Expected 28 bytes of the storage 0, got 24");
    expect((await failureOf(archive(state(tensor(storage("1", 6), 0, [6], [1])), counted))).message).toContain(
      "got none",
    );
    expect(await failureOf(archive(state(tensor(storage("../0", 6), 0, [6], [1])), counted))).toMatchObject({
      reason: "INVALID_PTH",
    });
  });

  it("cannot hold more than its size by sharing a storage", async () => {
    const big = new Uint8Array(4000);
    const shared = Array.from({ length: 100 }, (_, i) => text(`w${i}`) + tensor(storage("0", 1000), 0, [1000], [1]));
    const failure = await failureOf(archive(`${dictionary(...shared)}${STOP}`, { "0": big }));
    expect(failure.message).toMatch(/^Expected tensors of at most the file's \d+ bytes, got 400000$/);
  });

  it("runs nothing: every name that no checkpoint needs is refused and told", async () => {
    const call = (module: string, name: string, argument: string) => `${global(module, name)}${tuple(text(argument))}R`;
    const marker = join(folder, "ran");
    for (const [module, name] of [
      ["os", "system"],
      ["posix", "system"],
      ["builtins", "eval"],
      ["builtins", "getattr"],
      ["torch.serialization", "load"],
      ["torch.storage", "_load_from_bytes"],
      ["collections", "defaultdict"],
      ["__main__", "Model"],
    ] as const) {
      const failure = await failureOf(archive(`${call(module, name, `touch ${marker}`)}${STOP}`));
      expect(failure).toMatchObject({ reason: "UNSAFE_PICKLE", metadata: { global: `${module}.${name}` } });
      expect(failure.message).toContain("Nothing of it was run");
    }
    // By the newer opcode, hidden deep in an otherwise good file, and as a name that may be named but not called.
    const stackGlobal = `${text("os")}${text("system")}\x93${tuple(text("id"))}R`;
    const good = text("w") + tensor(storage("0", 6), 0, [6], [1]);
    const hidden = dictionary(text("model"), dictionary(good), text("args"), tuple(stackGlobal));
    expect(await failureOf(archive(`${hidden}${STOP}`, counted))).toMatchObject({ metadata: { global: "os.system" } });
    expect(await failureOf(archive(`${global("torch", "FloatStorage")})R${STOP}`))).toMatchObject({
      reason: "UNSAFE_PICKLE",
    });
    // INST, OBJ, NEWOBJ_EX, EXT1 and PERSID reach for names in other ways.
    for (const opcode of ["i", "o", "\x92", "\x82", "P"]) {
      expect(await failureOf(archive(`${MARK}${opcode}os\nsystem\n${STOP}`))).toMatchObject({
        reason: "UNSAFE_PICKLE",
      });
    }
    expect(await failureOf(archive(`${global("os", "\x1b[2J".repeat(100))}${STOP}`))).toMatchObject({
      metadata: { global: expect.not.stringContaining("\x1b") },
    });
  });

  it("sets no attributes but those of a Namespace", async () => {
    const setsOn = (value: string) => `${value}${dictionary(text("__class__"), integer(1))}b${STOP}`;
    expect(await failureOf(archive(setsOn("]")))).toMatchObject({ reason: "UNSAFE_PICKLE" });
    const prototype = `${global("argparse", "Namespace")})\x81${dictionary(text("__proto__"), dictionary(text("polluted"), "\x88"))}b`;
    const whole = dictionary(
      text("model"),
      dictionary(text("w"), tensor(storage("0", 6), 0, [6], [1])),
      text("args"),
      prototype,
    );
    await using file = await openWeights(await written(archive(`${whole}${STOP}`, counted)));
    expect(file.trainingArguments).toEqual({});
    expect("polluted" in {}).toBe(false);
  });

  it("is refused when it is bent: recursion, bombs, and stacks that are not what they should be", async () => {
    const doubling = Array.from(
      { length: 40 },
      (_, i) => `h${String.fromCharCode(i)}h${String.fromCharCode(i)}\x86q${String.fromCharCode(i + 1)}`,
    );
    for (const pickle of [
      `]q\x00h\x00a${STOP}`, // a list that holds itself
      `]q\x00${doubling.join("")}${STOP}`, // 2^40 leaves in 240 bytes
      `${MARK.repeat(2000)}${STOP}`,
      `${MARK}1${STOP}`,
      `h\x05${STOP}`,
      `a${STOP}`,
      `]${MARK}K\x01u${STOP}`,
      `}]K\x01s${STOP}`, // a list as a key
      `}${text("model")}K\x01s${STOP}`,
      `\x8a\xff${"\x01".repeat(255)}${STOP}`,
      `X\xff\xff\xff\xff${STOP}`,
      `\x8b\xff\xff\xff\xff${STOP}`,
      `X\x02\x00\x00\x00\xff\xfe${STOP}`,
      `}`,
      "",
      `K\x01Q${STOP}`,
      `${text("moduleid")}Q${STOP}`,
      `\x80\x09}${STOP}`,
      "cos",
    ]) {
      const failure = await failureOf(archive(pickle));
      expect(failure.reason, JSON.stringify(pickle.slice(0, 40))).toBe("INVALID_PTH");
    }
  });

  it("is refused when its zip is cut, compressed, twofold or another's", async () => {
    const good = archive(state(tensor(storage("0", 6), 0, [6], [1])), counted);
    expect((await only(good)).data).toHaveLength(6);
    const path = await written(good);
    for (const size of [3, 30, good.length - 100, good.length - 1]) {
      await writeFile(path, good);
      await truncate(path, size);
      await expect(openWeights(path), String(size)).rejects.toMatchObject({ code: "invalid_argument" });
    }
    const compressed = zipSync({ "archive/data.pkl": [new Uint8Array(100_000), { level: 9 }] });
    expect((await failureOf(compressed)).message).toContain('Expected "archive/data.pkl" stored as it is');
    const script = archive(`}${STOP}`, {}, { "archive/constants.pkl": bytesOf(`)${STOP}`) });
    expect((await failureOf(script)).message).toContain("TorchScript");
    const big = archive(state(tensor(storage("0", 6), 0, [6], [1])), counted, {
      "archive/byteorder": Buffer.from("big"),
    });
    expect((await failureOf(big)).message).toContain('got "big"');
    const two = zipSync({ "a/data.pkl": bytesOf(`}${STOP}`), "b/data.pkl": bytesOf(`}${STOP}`) }, { level: 0 });
    expect((await failureOf(two)).message).toContain("one data.pkl in a folder, got 2");
    // An entry whose size, told in the directory, runs over its neighbours.
    const overlapping = Buffer.from(good);
    const directory = overlapping.indexOf(Buffer.from("PK\x01\x02", "latin1"));
    overlapping.writeUInt32LE(overlapping.readUInt32LE(directory + 20) + 60, directory + 20);
    overlapping.writeUInt32LE(overlapping.readUInt32LE(directory + 24) + 60, directory + 24);
    expect((await failureOf(overlapping)).message).toContain("apart from the other files");
  });

  it("of more than 4 GB is read in place", async () => {
    const size = 5 * 2 ** 30;
    const name = Buffer.from("archive/data/0");
    const pickleName = Buffer.from("archive/data.pkl");
    const count = `\x8a\x05${Buffer.from(Uint8Array.of(0, 0, 0, 0x50, 0)).toString("latin1")}`; // 5/4 * 2^30
    const far = `${tuple(text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), count)}Q`;
    const offset = `\x8a\x05${Buffer.from(Uint8Array.of(0xfe, 0xff, 0xff, 0x4f, 0)).toString("latin1")}`; // the last but one
    const view = `${global("torch._utils", "_rebuild_tensor_v2")}${tuple(far, offset, tuple(integer(2)), tuple(integer(1)), "\x89", "}")}R`;
    const pickle = Buffer.from(bytesOf(state(view)));
    // A zip64, its storage a hole of the file but for the end.
    const extra = (...values: number[]) => {
      const bytes = Buffer.alloc(4 + 8 * values.length);
      bytes.writeUInt16LE(1, 0);
      bytes.writeUInt16LE(8 * values.length, 2);
      for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
      return bytes;
    };
    const local = (each: Buffer, bytes: number) => {
      const head = Buffer.alloc(30);
      head.writeUInt32LE(0x04034b50, 0);
      head.writeUInt16LE(45, 4);
      head.fill(0xff, 18, 26);
      head.writeUInt16LE(each.length, 26);
      head.writeUInt16LE(20, 28);
      return Buffer.concat([head, each, extra(bytes, bytes)]);
    };
    const central = (each: Buffer, bytes: number, position: number) => {
      const head = Buffer.alloc(46);
      head.writeUInt32LE(0x02014b50, 0);
      head.writeUInt16LE(45, 6);
      head.fill(0xff, 20, 28);
      head.writeUInt16LE(each.length, 28);
      head.writeUInt16LE(28, 30);
      head.fill(0xff, 42, 46);
      return Buffer.concat([head, each, extra(bytes, bytes, position)]);
    };
    const first = local(name, size);
    const second = Buffer.concat([local(pickleName, pickle.length), pickle]);
    const directory = Buffer.concat([central(name, size, 0), central(pickleName, pickle.length, first.length + size)]);
    const directoryAt = first.length + size + second.length;
    const end = Buffer.alloc(56 + 20 + 22);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeBigUInt64LE(2n, 24);
    end.writeBigUInt64LE(2n, 32);
    end.writeBigUInt64LE(BigInt(directory.length), 40);
    end.writeBigUInt64LE(BigInt(directoryAt), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(directoryAt + directory.length), 64);
    end.writeUInt32LE(1, 72);
    end.writeUInt32LE(0x06054b50, 76);
    end.fill(0xff, 84, 96);
    const path = join(folder, "large.pth");
    const file = await open(path, "w");
    await file.write(first, 0, first.length, 0);
    await file.write(floats(2.5, -7), 0, 8, first.length + size - 8);
    await file.write(Buffer.concat([second, directory, end]), 0, undefined, first.length + size);
    await file.close();
    await using large = await openWeights(path);
    expect((await large.read(large.tensors.get("w")!)).data).toEqual(Float32Array.of(2.5, -7));
  });

  it("is refused when its zip64 directory lies outside of the file, which threw where nobody could catch it", async () => {
    const good = Buffer.from(archive(state(tensor(storage("0", 6), 0, [6], [1])), counted));
    const end = Buffer.from(good.subarray(good.length - 22));
    end.fill(0xff, 8, 20);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    for (const position of [2n ** 60n, 2n ** 63n, 2n ** 40n]) {
      locator.writeBigUInt64LE(position, 8);
      const bent = Buffer.concat([good.subarray(0, good.length - 22), locator, end]);
      expect((await failureOf(bent)).message).toContain("are not within the file");
    }
  });

  it("is told from other files by its first bytes", async () => {
    expect(await failureOf(Buffer.from("\x89PNG\r\n\x1a\n0000", "latin1"))).toMatchObject({
      reason: "UNKNOWN_WEIGHT_FORMAT",
    });
    expect(await failureOf(new Uint8Array())).toMatchObject({ reason: "UNKNOWN_WEIGHT_FORMAT" });
    expect(await failureOf(bytesOf(`}${STOP}`))).toMatchObject({ reason: "INVALID_PTH" });
    expect(await failureOf(archive(`}${STOP}`))).toMatchObject({ message: expect.stringContaining("it has none") });
  });
});
