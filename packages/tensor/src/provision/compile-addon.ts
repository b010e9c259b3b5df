import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCompiler } from "./run-compiler.ts";

const require = createRequire(import.meta.url);

/** The addon's file name. */
export const ADDON = "duchenne-tensorflow.node";
/** Of Node's interface for addons: every Node from 12.22 on has it. */
export const NAPI_VERSION = 8;
const SOURCES = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "native");
const FLAGS = [
  ...["-shared", "-fPIC", "-std=c++17", "-fvisibility=hidden", `-DNAPI_VERSION=${NAPI_VERSION}`],
  ...["-Wall", "-Wextra", "-Werror"],
];

/** How the addon is compiled. */
export interface CompileOptions {
  /** The folder in the cache that holds tensorflow/. */
  readonly libraries: string;
  /** In a folder beside that of the libraries, when it is loaded. */
  readonly output: string;
  /** Further flags; default: optimised. */
  readonly flags?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** The addon's sources and headers, those of the kernel library beside it not included. */
function sourceFiles(): string[] {
  return readdirSync(SOURCES)
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort()
    .map((name) => join(SOURCES, name));
}

/** Changes with everything that the compiled addon depends on. @param libraries changes with TensorFlow's files */
export function addonKey(libraries: string): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([libraries, FLAGS, versionOf("node-api-headers")]));
  for (const file of sourceFiles()) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/**
 * Compiles the addon with g++ against TensorFlow's C API. It finds TensorFlow's libraries relative to itself, so that it can
 * be copied from one machine's cache to another's.
 *
 * @throws {ProvisionError} with the compiler's first errors
 */
export async function compileAddon(options: CompileOptions): Promise<void> {
  const { libraries, output, flags = ["-O2"], signal } = options;
  const tensorflow = join(libraries, "tensorflow");
  const args = [
    ...FLAGS,
    ...flags,
    // As system headers: their warnings are not ours.
    ...["-isystem", join(packageFolder("node-api-headers"), "include"), "-isystem", join(tensorflow, "include")],
    ...sourceFiles().filter((name) => name.endsWith(".cc")),
    ...["-o", output],
    ...["-L", tensorflow, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
    `-Wl,-rpath,$ORIGIN/../${basename(libraries)}/tensorflow`,
  ];
  await runCompiler(args, {
    product: "The TensorFlow addon",
    reason: "TENSORFLOW_UNAVAILABLE",
    without: "Detection works without.",
    signal,
  });
}

function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

function versionOf(name: string): string {
  const text = readFileSync(join(packageFolder(name), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
