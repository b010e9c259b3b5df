import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, commandFailure, makeOnce } from "@duchenne/provision";

const run = promisify(execFile);
/** What is compared with. PyPI's wheel for Linux holds CUDA too and needs its libraries to load: 7 GB unpacked. */
const TORCH = "torch==2.9.1";

/**
 * Installs PyTorch into the cache, once, for the machine's Python 3.
 *
 * @returns the folder for PYTHONPATH
 * @throws {ProvisionError}
 */
export async function provisionTorch(): Promise<string> {
  const folder = join(cacheDirectory(), "benchmarks", TORCH.replace("==", "-"));
  await makeOnce(folder, async ({ ready }) => {
    process.stderr.write(`Installing ${TORCH} into the cache (7 GB, once)\n`);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    await run("python3", [...pip, "--target", ready, TORCH], { maxBuffer: 2 ** 26 }).catch((error: unknown) => {
      throw commandFailure(error, {
        reason: "TORCH_UNAVAILABLE",
        failure: `pip could not install ${TORCH}.`,
        missing: "Python 3 with pip was not found (Debian: apt-get install python3-pip).",
      });
    });
  });
  return folder;
}
