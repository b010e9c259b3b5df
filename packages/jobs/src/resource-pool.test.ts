import { describe, expect, it } from "vitest";
import { createResourcePool, type ResourcePool, type Resources, type TakenResources } from "./resource-pool.ts";
import { visibleGpus } from "./visible-gpus.ts";

const take = (pool: ResourcePool, amounts: Resources): Promise<TakenResources> =>
  pool.choose(async (_, take) => take(amounts));
const free = (pool: ResourcePool): Promise<Resources> => pool.choose(async (free) => free);
const gpusOf = ({ environment }: TakenResources) => environment.CUDA_VISIBLE_DEVICES;

describe("a pool of resources", () => {
  it("lends every GPU to one at a time, and again when it was given back", async () => {
    const pool = createResourcePool({ gpu: 3, memory_gib: 8 }, ["0", "1", "2"]);
    const first = await take(pool, { gpu: 1 });
    const second = await take(pool, { gpu: 1, memory_gib: 2 });
    expect([gpusOf(first), gpusOf(second)]).toEqual(["0", "1"]);
    expect(await free(pool)).toEqual({ gpu: 1, memory_gib: 6 });
    first.giveBack();
    const both = await take(pool, { gpu: 2 });
    expect(gpusOf(both)).toBe("0,2");
    second.giveBack();
    expect(gpusOf(await take(pool, { gpu: 1 }))).toBe("1");
    both.giveBack();
    expect(await free(pool)).toEqual({ gpu: 2, memory_gib: 8 });
  });

  it("shows none to who takes none, where there are some to take", async () => {
    const pool = createResourcePool({ gpu: 1 }, ["GPU-7"]);
    expect((await take(pool, {})).environment).toEqual({ CUDA_VISIBLE_DEVICES: "" });
    expect((await take(pool, { gpu: 0 })).environment).toEqual({ CUDA_VISIBLE_DEVICES: "" });
    expect(gpusOf(await take(pool, { gpu: 1 }))).toBe("GPU-7");
  });

  it("leaves the environment as it is where no GPU was named", async () => {
    for (const total of [{}, { memory_gib: 8 }, { gpu: 0 }]) {
      expect((await take(createResourcePool(total), {})).environment).toEqual({});
    }
  });
});

describe("the GPUs of a machine", () => {
  it("are the first ones, or those that its process sees, by number or by name", () => {
    expect(visibleGpus(2, undefined)).toEqual(["0", "1"]);
    expect(visibleGpus(2, "3,1")).toEqual(["3", "1"]);
    expect(visibleGpus(1, "3, 1")).toEqual(["3"]);
    expect(visibleGpus(2, "GPU-8932f937, MIG-1d3a")).toEqual(["GPU-8932f937", "MIG-1d3a"]);
    expect(visibleGpus(0, "")).toEqual([]);
  });

  it("cannot be more than its process sees", () => {
    for (const visible of ["", "1", "-1", "1,-1,2", "NoDevFiles"]) {
      expect(() => visibleGpus(2, visible), visible).toThrow(
        expect.objectContaining({ code: "invalid_argument", reason: "TOO_FEW_GPUS" }),
      );
    }
  });
});
