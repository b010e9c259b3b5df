import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Reasons that the code answers, with their codes where these stand beside them. */
function reasonsInCode(): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const files = globSync("{packages,services}/*/src/**/*.ts", { cwd: root });
  for (const file of files.filter((path) => !/\.test\.ts$|\/contract\/|\/cli\/|\/client\//.test(path))) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, of, body] of text.matchAll(/class \w+ extends (\w+)[^{]*\{(.*?)\n\}/gs)) {
      const reason = /reason(?:: string)? = "([A-Z_0-9]+)"/.exec(body!)?.[1];
      const code = of === "InvalidFieldError" ? "invalid_argument" : /code = "([a-z_]+)"/.exec(body!)?.[1];
      if (reason !== undefined) found.set(reason, code?.toUpperCase());
    }
    const others = [
      ...text.matchAll(
        /(?:reason: |this\.reason = .* \? |REASON = |AlreadyExistsError\(|ProvisionError\(\s*)"([A-Z_0-9]+)"/g,
      ),
      ...[...text.matchAll(/NotFoundError\("([a-z -]+)"/g)].map(([, kind]) => [
        "",
        `${kind!.toUpperCase().replaceAll(/[- ]/g, "_")}_NOT_FOUND`,
      ]),
    ];
    for (const [, reason] of others) if (!found.has(reason!)) found.set(reason!, undefined);
  }
  return found;
}

/** Reasons that docs/errors.md tells of, with the codes of their row. */
function reasonsInDocs(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of readFileSync(join(root, "docs/errors.md"), "utf8").split("\n")) {
    const [, reasons = "", codes = ""] = line.split("|");
    for (const [, reason] of reasons.matchAll(/`([A-Z_0-9]+)`/g)) {
      expect(found, `${reason} stands there twice`).not.toContain(reason);
      found.set(reason!, codes.match(/[A-Z_]+/g) ?? []);
    }
  }
  return found;
}

it("docs/errors.md names every reason, none that is not there, and its code", () => {
  const [code, docs] = [reasonsInCode(), reasonsInDocs()];
  expect(code.size).toBeGreaterThan(100);
  expect([...docs.keys()].sort()).toEqual([...code.keys()].sort());
  for (const [reason, own] of code) {
    const told = docs.get(reason)!;
    if (own !== undefined && told.length > 0) expect(told, reason).toContain(own);
  }
});
