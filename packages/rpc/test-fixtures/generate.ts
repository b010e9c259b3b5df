/** Generates gen/ from echo.proto: `node packages/rpc/test-fixtures/generate.ts`. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "..", "..", "..");
const bin = join(root, "node_modules", ".bin");
const work = mkdtempSync(join(tmpdir(), "duchenne-rpc-"));
try {
  cpSync(join(root, "proto", "third_party", "buf"), join(work, "buf"), { recursive: true });
  cpSync(join(here, "duchenne"), join(work, "duchenne"), { recursive: true });
  writeFileSync(join(work, "buf.yaml"), "version: v2\n");
  const plugin = {
    local: join(bin, "protoc-gen-es"),
    out: join(here, "gen"),
    opt: [
      "target=ts",
      "import_extension=ts",
      "erasable_syntax=true",
      "rewrite_imports=./buf/**/*_pb.js:@duchenne/proto",
    ],
  };
  const template = JSON.stringify({ version: "v2", clean: true, plugins: [plugin] });
  execFileSync(join(bin, "buf"), ["generate", "--template", template, "--path", "duchenne"], { cwd: work });
} finally {
  rmSync(work, { recursive: true, force: true });
}
