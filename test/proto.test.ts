import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = mkdtempSync(join(tmpdir(), "duchenne-proto-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe("proto/gen", () => {
  it("is what the protos generate", () => {
    const bin = join(root, "node_modules", ".bin");
    const template = JSON.stringify({
      version: "v2",
      plugins: [
        {
          local: join(bin, "protoc-gen-es"),
          out,
          opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
        },
      ],
    });
    execFileSync(join(bin, "buf"), ["generate", "--template", template], { cwd: join(root, "proto") });
    const committed = join(root, "proto", "gen");
    expect(filesBelow(out)).toEqual(filesBelow(committed));
    for (const file of filesBelow(out)) {
      expect(readFileSync(join(out, file), "utf8"), file).toBe(readFileSync(join(committed, file), "utf8"));
    }
  });
});
