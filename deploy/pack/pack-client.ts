import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** What leaves the workspace as JavaScript: Node strips types only outside of node_modules. */
const PACKED = [
  { folder: "proto", config: "tsconfig.proto.json", exports: { ".": "index", "./rpc": "rpc" } },
  {
    folder: "packages/client",
    config: "tsconfig.client.json",
    exports: { ".": "src/index", "./browser": "src/browser" },
  },
] as const;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Compiles the client and its protos to JavaScript with declarations and packs each into a tarball.
 *
 * @returns the tarballs' paths
 */
export async function packClient(destination: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "duchenne-pack-"));
  try {
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const { catalog } = parse(await readFile(join(root, "pnpm-workspace.yaml"), "utf8"));
    const tarballs: string[] = [];
    for (const { folder: name, config, exports } of PACKED) {
      // Each alone: of a package that another one imports, the compiler writes only what it did not find through the import.
      const compiled = join(folder, config);
      await run(tsc, ["-p", join(root, "deploy/pack", config), "--outDir", compiled], { maxBuffer: 2 ** 24 });
      const stage = join(folder, name);
      await mkdir(dirname(stage), { recursive: true });
      await cp(join(compiled, name), join(stage, "dist"), { recursive: true });
      await cp(join(root, "LICENSE"), join(stage, "LICENSE"));
      const manifest: Manifest = JSON.parse(await readFile(join(root, name, "package.json"), "utf8"));
      await writeFile(join(stage, "package.json"), JSON.stringify(publicManifest(manifest, exports, catalog), null, 2));
      const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", destination], { cwd: stage });
      tarballs.push(join(destination, stdout.trim()));
    }
    return tarballs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function publicManifest(
  { name, version, license, dependencies }: Manifest,
  entries: Readonly<Record<string, string>>,
  catalog: Readonly<Record<string, string>>,
) {
  const resolved = Object.entries(dependencies).map(([dependency, range]) => [
    dependency,
    range === "catalog:" ? catalog[dependency] : range === "workspace:*" ? version : range,
  ]);
  const exports = Object.entries(entries).map(([entry, file]) => [
    entry,
    { types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` },
  ]);
  return {
    name,
    version,
    license,
    type: "module",
    engines: { node: ">=22" },
    files: ["dist"],
    exports: Object.fromEntries(exports),
    dependencies: Object.fromEntries(resolved),
  };
}
