import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";

/** What holds for the movable names of versions. */
export function aliasesContract(fixture: StoreFixture): void {
  const imported = { model: "demo", card: { kind: "vit" }, artifacts: [] };
  const live = { model: "default", alias: "live" };

  describe("aliases", () => {
    it("move, and refuse a move that was planned on an older state", async () => {
      const { models } = fixture.store;
      for (const i of [1, 2]) await models.createVersion({ ...imported, card: { i } });
      expect(await models.resolveAlias("default", "live")).toBeUndefined();
      const first = await models.setAlias({ ...live, target: { model: "demo", version: "1" } });
      const second = await models.setAlias({ ...live, target: { model: "demo", version: "2" }, etag: first.etag });
      expect(await models.resolveAlias("default", "live")).toEqual(second);
      const stale = models.setAlias({ ...live, target: { model: "demo", version: "1" }, etag: first.etag });
      await expect(stale).rejects.toMatchObject({ code: "aborted", reason: "ALIAS_MOVED" });
      await expect(models.setAlias({ ...live, target: { model: "demo", version: "9" } })).rejects.toMatchObject({
        code: "not_found",
      });
      const listed = (await models.list({ pageSize: 10 })).models;
      expect(listed.map(({ id }) => id)).toEqual(["default", "demo"]);
      expect(listed[0]!.aliases).toEqual([second]);
      expect(listed[1]!.latestVersion).toBe("2");
    });

    it("let one of several moves through that were planned on the same state", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      for (let i = 0; i < 8; i++) await fixture.store.models.createVersion({ ...imported, card: { i } });
      for (const etag of ["0", "1"]) {
        const moves = await Promise.allSettled(
          Array.from({ length: 8 }, (_, i) =>
            stores[i % 2]!.models.setAlias({ ...live, target: { model: "demo", version: String(i + 1) }, etag }),
          ),
        );
        const moved = moves.flatMap((move) => (move.status === "fulfilled" ? [move.value] : []));
        expect(moved.length).toBe(1);
        expect(await fixture.store.models.resolveAlias("default", "live")).toEqual(moved[0]);
      }
    });

    it("remember every move, in pages", async () => {
      const { models } = fixture.store;
      for (let i = 1; i <= 3; i++) {
        await models.createVersion({ ...imported, card: { i } });
        await models.setAlias({ ...live, target: { model: "demo", version: String(i) } });
      }
      await models.setAlias({ ...live, target: { model: "demo", version: "1" } });
      const first = await models.aliasHistory("default", "live", { pageSize: 3 });
      const { nextPageToken } = first;
      const rest = await models.aliasHistory("default", "live", { pageSize: 3, pageToken: nextPageToken });
      const moves = [...first.moves, ...rest.moves];
      expect(moves.map(({ target }) => target?.version)).toEqual(["1", "3", "2", "1"]);
      expect(moves.map(({ etag }) => etag)).toEqual(["4", "3", "2", "1"]);
      expect(moves[0]).toEqual(await models.resolveAlias("default", "live"));
      expect(rest.nextPageToken).toBe("");
      await expect(models.aliasHistory("default", "none", { pageSize: 1 })).rejects.toMatchObject({
        reason: "ALIAS_NOT_FOUND",
      });
    });

    it("are deleted, remember that, and give none of their etags again", async () => {
      const { models } = fixture.store;
      const target = { model: "demo", version: (await models.createVersion(imported)).version };
      const unset = { code: "not_found", reason: "ALIAS_NOT_FOUND" };
      await expect(models.deleteAlias(live)).rejects.toMatchObject(unset);
      const first = await models.setAlias({ ...live, target });
      await expect(models.deleteAlias({ ...live, etag: "0" })).rejects.toMatchObject({ reason: "ALIAS_MOVED" });
      await models.deleteAlias({ ...live, etag: first.etag });
      expect(await models.resolveAlias("default", "live")).toBeUndefined();
      expect((await models.list({ pageSize: 10 })).models.flatMap(({ aliases }) => aliases)).toEqual([]);
      await expect(models.deleteAlias(live)).rejects.toMatchObject(unset);
      await expect(models.deleteAlias({ ...live, etag: first.etag })).rejects.toMatchObject(unset);

      // Who read it before it was deleted, or believes that it was never set, moves nothing.
      for (const etag of [first.etag, "0"]) {
        await expect(models.setAlias({ ...live, target, etag })).rejects.toMatchObject({ reason: "ALIAS_MOVED" });
      }
      const [removal] = (await models.aliasHistory("default", "live", { pageSize: 1 })).moves;
      const again = await models.setAlias({ ...live, target, etag: removal!.etag });
      expect(await models.resolveAlias("default", "live")).toEqual(again);
      await models.deleteAlias({ ...live, etag: again.etag });
      await models.setAlias({ ...live, target });
      const { moves } = await models.aliasHistory("default", "live", { pageSize: 10 });
      expect(moves.map((move) => move.target)).toEqual([target, undefined, target, undefined, target]);
      expect(moves.map(({ etag }) => etag)).toEqual(["5", "4", "3", "2", "1"]);
      const times = moves.map(({ updateTimeMs }) => updateTimeMs);
      expect(times).toEqual([...times].sort((a, b) => b - a));
    });

    it("are apart from others of the same model, or of the same name", async () => {
      const { models } = fixture.store;
      const target = { model: "demo", version: (await models.createVersion(imported)).version };
      const others = [
        { model: "default", alias: "canary" },
        { model: "demo", alias: "live" },
      ];
      for (const alias of [live, ...others]) await models.setAlias({ ...alias, target });
      await models.deleteAlias(live);
      for (const { model, alias } of others) {
        expect(await models.resolveAlias(model, alias)).toMatchObject({ target, etag: "1" });
      }
    });

    it("hold a version no longer when they are deleted", async () => {
      const { models } = fixture.store;
      await models.createVersion(imported);
      await models.setAlias({ ...live, target: { model: "demo", version: "1" } });
      await expect(models.deleteVersion("demo", "1")).rejects.toMatchObject({ reason: "MODEL_VERSION_IN_USE" });
      await models.deleteAlias(live);
      await models.deleteVersion("demo", "1");
      const { moves } = await models.aliasHistory("default", "live", { pageSize: 10 });
      expect(moves.map(({ target }) => target?.version)).toEqual([undefined, "1"]);
    });

    it("let a move be refused for what it is, and leave no trace of it", async () => {
      const { models } = fixture.store;
      for (const kind of ["a", "b"]) await models.createVersion({ ...imported, card: { kind } });
      const seen: unknown[] = [];
      const refused = new Error("refused");
      const to = (version: string, isRefused = false) =>
        models.setAlias({
          model: "new",
          alias: "live",
          target: { model: "demo", version },
          check: (move) => {
            seen.push([move.from?.card.kind, move.to.card.kind]);
            if (isRefused) throw refused;
          },
        });
      await expect(to("1", true)).rejects.toBe(refused);
      expect((await models.list({ pageSize: 10 })).models.map(({ id }) => id)).toEqual(["demo"]);
      await to("1");
      await expect(to("2", true)).rejects.toBe(refused);
      expect(await models.resolveAlias("new", "live")).toMatchObject({ target: { version: "1" }, etag: "1" });
      await to("2");
      expect(seen).toEqual([
        [undefined, "a"],
        [undefined, "a"],
        ["a", "b"],
        ["a", "b"],
      ]);
    });

    it("never make a move that was checked against another one's place", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      for (const kind of ["a", "b"]) await fixture.store.models.createVersion({ ...imported, card: { kind } });
      // Each alias takes the kind that comes first, although both are asked for at once and by several processes.
      for (let i = 0; i < 4; i++) {
        const moves = await Promise.allSettled(
          Array.from({ length: 6 }, (_, j) =>
            stores[j % 2]!.models.setAlias({
              model: `m${i}`,
              alias: "live",
              target: { model: "demo", version: String(1 + (Math.floor(j / 2) % 2)) },
              check: ({ from, to }) => {
                if (from !== undefined && from.card.kind !== to.card.kind) throw new Error("another kind");
              },
            }),
          ),
        );
        const moved = moves.flatMap((move) => (move.status === "fulfilled" ? [move.value.target.version] : []));
        expect(new Set(moved).size).toBe(1);
        const { moves: kept } = await fixture.store.models.aliasHistory(`m${i}`, "live", { pageSize: 10 });
        expect(kept.map(({ target }) => target!.version)).toEqual(moved);
      }
    });

    it("let one of several deletions through", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      await fixture.store.models.createVersion(imported);
      await fixture.store.models.setAlias({ ...live, target: { model: "demo", version: "1" } });
      const deletions = await Promise.allSettled(
        Array.from({ length: 6 }, (_, i) => stores[i % 2]!.models.deleteAlias(live)),
      );
      expect(deletions.filter(({ status }) => status === "fulfilled").length).toBe(1);
      const { moves } = await fixture.store.models.aliasHistory("default", "live", { pageSize: 10 });
      expect(moves.map(({ etag }) => etag)).toEqual(["2", "1"]);
    });
  });
}
