import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ProvisionError } from "./provision-error.ts";

const run = promisify(execFile);

/** How a package is fetched. */
export interface FetchOptions {
  /** An existing, empty folder. */
  readonly folder: string;
  /** The reason of the error when it fails. */
  readonly reason: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches a package's tarball from the npm registry without installing it: its dependencies need not exist.
 *
 * @param spec name@version
 * @returns path of the tarball
 * @throws {ProvisionError}
 */
export async function npmPack(spec: string, { folder, reason, signal }: FetchOptions): Promise<string> {
  const args = ["pack", spec, "--silent", "--pack-destination", folder];
  await run("npm", args, { maxBuffer: 2 ** 24, ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw commandFailure(error, {
      reason,
      failure: `npm could not fetch ${spec}.`,
      missing: "npm was not found; install Node.js with npm (Debian: apt-get install npm).",
    });
  });
  return onlyFile(folder, ".tgz", spec, reason);
}

/**
 * Fetches a wheel from PyPI without installing it.
 *
 * @param spec name==version
 * @param target wheels of this platform instead of the running Python's, in pip's own words
 * @returns path of the wheel
 * @throws {ProvisionError}
 */
export async function pipDownload(
  spec: string,
  { folder, reason, signal }: FetchOptions,
  target: readonly string[] = [],
): Promise<string> {
  const args = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
  const options = { maxBuffer: 2 ** 24, ...(signal && { signal }) };
  await run("python3", [...args, ...target, "--dest", folder, spec], options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw commandFailure(error, {
      reason,
      failure: `pip could not fetch ${spec}.`,
      missing: "Python 3 with pip was not found (Debian: apt-get install python3-pip).",
    });
  });
  return onlyFile(folder, ".whl", spec, reason);
}

/** The error for a command that failed, or that is not installed. */
export function commandFailure(
  error: unknown,
  { reason, failure, missing }: { readonly reason: string; readonly failure: string; readonly missing: string },
): ProvisionError {
  const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
  if (code === "ENOENT" || /No module named pip/.test(stderr)) {
    return new ProvisionError(reason, failure, missing, error);
  }
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return new ProvisionError(
    reason,
    failure,
    `Check the network, the free disk space and the registry's configuration. (${last})`,
    error,
  );
}

async function onlyFile(folder: string, ending: string, spec: string, reason: string): Promise<string> {
  const name = (await readdir(folder)).find((each) => each.endsWith(ending));
  if (name !== undefined) return join(folder, name);
  throw new ProvisionError(reason, `${spec} left no ${ending} file.`, "Update the package manager.");
}
