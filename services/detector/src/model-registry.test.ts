import { expect, it } from "vitest";
import { ModelRegistry, type ModelSource } from "./model-registry.ts";

function setUp() {
  const clock = { nowMs: 0 };
  const aliases = new Map([["models/a@live", "models/a/versions/1"]]);
  const events: string[] = [];
  const broken = new Set<string>();
  const away = { message: "" };
  const source: ModelSource<{ version: string; dispose(): Promise<void> }> = {
    async resolve(reference) {
      if (away.message !== "") throw Object.assign(new Error(away.message), { code: "unavailable" });
      const version = aliases.get(reference);
      if (version !== undefined) return { version, alias: reference };
      if (reference.includes("@")) throw Object.assign(new Error(`no ${reference}`), { code: "not_found" });
      return { version: reference, alias: "" };
    },
    async load(version) {
      if (broken.has(version)) throw new Error(`${version} is broken`);
      events.push(`load ${version}`);
      return {
        version,
        async dispose() {
          events.push(`dispose ${version}`);
        },
      };
    },
    onLoadFailure(reference, version) {
      events.push(`failed ${reference} ${version}`);
      return `${version} failed`;
    },
  };
  const registry = new ModelRegistry(source, { retryAfterMs: 1000, now: () => clock.nowMs });
  return { aliases, events, broken, away, registry, clock };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

it("loads a model once for many followers", async () => {
  const { registry, events } = setUp();
  const following = await Promise.all([1, 2, 3].map(() => registry.follow("models/a@live")));
  expect(following.map((each) => each.lease().model.version)).toEqual(Array(3).fill("models/a/versions/1"));
  expect(events).toEqual(["load models/a/versions/1"]);
});

it("moves followers of an alias, and disposes the old model with its last lease", async () => {
  const { registry, events, aliases } = setUp();
  const following = await registry.follow("models/a@live");
  const inWork = following.lease();
  aliases.set("models/a@live", "models/b/versions/7");
  await registry.refresh();
  expect(following.lease().resolved).toEqual({ version: "models/b/versions/7", alias: "models/a@live" });
  await settled();
  expect(events).toEqual(["load models/a/versions/1", "load models/b/versions/7"]);
  inWork.release();
  await settled();
  expect(events.at(-1)).toBe("dispose models/a/versions/1");
});

it("keeps the old model when the new one cannot be loaded, tries again after a while and moves when it can", async () => {
  const { registry, events, aliases, broken, clock } = setUp();
  const following = await registry.follow("models/a@live");
  aliases.set("models/a@live", "models/a/versions/2");
  broken.add("models/a/versions/2");
  await registry.refresh();
  expect(following.lease().model.version).toBe("models/a/versions/1");
  expect(following.lease().problem).toBe("models/a/versions/2 failed");
  expect(events.at(-1)).toBe("failed models/a@live models/a/versions/2");
  const failures = () => events.filter((event) => event.startsWith("failed")).length;
  // The store changes all the time while a training runs.
  for (let i = 0; i < 5; i++) await registry.refresh();
  expect(failures()).toBe(1);
  expect(following.lease().problem).toBe("models/a/versions/2 failed");
  clock.nowMs = 1000;
  await registry.refresh();
  expect(failures()).toBe(2);
  broken.clear();
  clock.nowMs = 2000;
  await registry.refresh();
  expect(following.lease()).toMatchObject({ model: { version: "models/a/versions/2" }, problem: undefined });
});

it("moves at once when an alias leads from a broken version to another", async () => {
  const { registry, aliases, broken } = setUp();
  const following = await registry.follow("models/a@live");
  aliases.set("models/a@live", "models/a/versions/2");
  broken.add("models/a/versions/2");
  await registry.refresh();
  aliases.set("models/a@live", "models/a/versions/3");
  await registry.refresh();
  expect(following.lease()).toMatchObject({ model: { version: "models/a/versions/3" }, problem: undefined });
});

it("forgets a failed move when the alias moves back", async () => {
  const { registry, aliases, broken } = setUp();
  const following = await registry.follow("models/a@live");
  broken.add("models/a/versions/2");
  aliases.set("models/a@live", "models/a/versions/2");
  await registry.refresh();
  aliases.set("models/a@live", "models/a/versions/1");
  await registry.refresh();
  expect(following.lease().problem).toBe(undefined);
});

it("keeps a few idle models and disposes the oldest", async () => {
  const { registry, events } = setUp();
  for (const version of ["1", "2", "3"]) (await registry.follow(`models/x/versions/${version}`)).close();
  await settled();
  expect(events).toEqual([
    "load models/x/versions/1",
    "load models/x/versions/2",
    "load models/x/versions/3",
    "dispose models/x/versions/1",
  ]);
});

it("does not keep a model that failed to load", async () => {
  const { registry, broken } = setUp();
  broken.add("models/x/versions/1");
  await expect(registry.follow("models/x/versions/1")).rejects.toThrow("broken");
  broken.clear();
  expect((await registry.follow("models/x/versions/1")).lease().model.version).toBe("models/x/versions/1");
});

it("lets those go on who follow an alias that is deleted, tells it once, and refuses who comes then", async () => {
  const { registry, events, aliases, clock } = setUp();
  const following = await registry.follow("models/a@live");
  aliases.delete("models/a@live");
  for (let i = 0; i < 3; i++) {
    await registry.refresh();
    clock.nowMs += 1000;
  }
  expect(following.isGone()).toBe(true);
  expect(following.lease()).toMatchObject({ model: { version: "models/a/versions/1" }, problem: "undefined failed" });
  expect(events).toEqual(["load models/a/versions/1", "failed models/a@live undefined"]);
  await expect(registry.follow("models/a@live")).rejects.toMatchObject({ code: "not_found" });
  expect(following.lease().model.version).toBe("models/a/versions/1");
});

it("follows an alias again that was deleted and set, to what it had or to another, for old followers and new ones", async () => {
  const { registry, aliases } = setUp();
  const following = await registry.follow("models/a@live");
  for (const version of ["models/a/versions/1", "models/a/versions/2"]) {
    aliases.delete("models/a@live");
    await registry.refresh();
    aliases.set("models/a@live", version);
    // Nobody has told the registry of it yet.
    const newcomer = await registry.follow("models/a@live");
    for (const each of [following, newcomer]) {
      expect(each.isGone()).toBe(false);
      expect(each.lease()).toMatchObject({ model: { version }, problem: undefined });
    }
    newcomer.close();
  }
});

it("does not take an alias for deleted that cannot be asked for, nor for there again", async () => {
  const { registry, aliases, away, clock } = setUp();
  const following = await registry.follow("models/a@live");
  away.message = "no database";
  await registry.refresh();
  expect(following.isGone()).toBe(false);
  expect(following.lease().problem).toBe("undefined failed");
  // Within the time in which the same failure is not told again.
  away.message = "";
  aliases.delete("models/a@live");
  await registry.refresh();
  expect(following.isGone()).toBe(true);
  away.message = "no database";
  clock.nowMs = 5000;
  await registry.refresh();
  expect(following.isGone()).toBe(true);
});

it("says through which alias it came to a version that it has already", async () => {
  const { registry, aliases } = setUp();
  const following = await registry.follow("models/b/versions/1");
  expect(following.lease().resolved.alias).toBe("");
  // As the empty reference, which leads through an alias once that is set.
  aliases.set("models/b/versions/1", "models/b/versions/1");
  await registry.refresh();
  expect(following.lease().resolved.alias).toBe("models/b/versions/1");
});
