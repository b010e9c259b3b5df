import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isGone, machineId, ownerOfThisProcess } from "./process-identity.ts";

/** The owner that this process is, with something else said of it. */
const owner = (more: object) => JSON.stringify({ ...JSON.parse(ownerOfThisProcess()), ...more });

describe("a process of the same machine", () => {
  it("is not gone while it lives, and is when it has ended or its number is another's", async () => {
    expect(isGone(ownerOfThisProcess())).toBe(false);
    expect(isGone(owner({ started: "1" }))).toBe(true);
    const ended = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(ended, "exit");
    expect(isGone(owner({ pid: ended.pid }))).toBe(true);
    expect(isGone(owner({ pid: ended.pid, namespace: "pid:[1]" }))).toBe(false);
    expect(isGone(owner({ pid: ended.pid, host: "another" }))).toBe(false);
    expect(isGone("no identity")).toBe(false);
  });
});

describe("a process of another boot", () => {
  const here = {
    host: "trainer",
    machine: "installation hardware",
    boot: "second",
    namespace: "pid:[4026531836]",
  };
  const before = (more: object = {}) => owner({ ...here, boot: "first", ...more });

  it("is gone when its machine has booted again", () => {
    expect(isGone(before(), here)).toBe(true);
  });

  it("is not known to be gone when a machine is called the same, as copies of one are", () => {
    expect(isGone(before({ machine: "installation other-hardware" }), here)).toBe(false);
    expect(isGone(before({ host: "trainer-2" }), here)).toBe(false);
  });

  it("is not known to be gone where machines have no id, as earlier releases had none", () => {
    expect(isGone(before({ machine: "" }), { ...here, machine: "" })).toBe(false);
    expect(isGone(before({ machine: undefined }), here)).toBe(false);
  });

  it("is not known to be gone when a container asks, or it was in one", () => {
    const container = "pid:[4026532842]";
    expect(isGone(before({ namespace: container }), here)).toBe(false);
    expect(isGone(before(), { ...here, namespace: container })).toBe(false);
    expect(isGone(before({ namespace: container }), { ...here, namespace: container })).toBe(false);
  });
});

describe("the id of a machine", () => {
  const installation = "0123456789abcdef0123456789abcdef";
  const hardware = "4C4C4544-0042-3510-8054-B7C04F4E3232";
  const idOf = (machine: string | undefined, product: string | undefined) => {
    const files = new Map([
      ["/etc/machine-id", machine],
      ["/sys/class/dmi/id/product_uuid", product],
    ]);
    const line = (text: string | undefined) => (text === undefined ? undefined : `${text}\n`);
    return machineId((path) => line(files.get(path)));
  };

  it("is that of its installation and that of its hardware", () => {
    expect(idOf(installation, hardware)).toBe(`${installation} ${hardware.toLowerCase()}`);
  });

  it("is unknown when one of them is missing or means nothing", () => {
    expect(idOf(installation, undefined)).toBe("");
    expect(idOf(undefined, hardware)).toBe("");
    expect(idOf("", hardware)).toBe("");
    expect(idOf("uninitialized", hardware)).toBe("");
    expect(idOf(installation, "Not Settable")).toBe("");
    expect(idOf(installation, "00000000-0000-0000-0000-000000000000")).toBe("");
    expect(idOf(installation, "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")).toBe("");
  });
});
