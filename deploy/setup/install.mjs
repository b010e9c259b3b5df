// Runs on any Node >= 20, before anything is installed.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { capture } from "./process.mjs";
import { SetupError, step } from "./step.mjs";

/**
 * Installs the locked packages of the workspace; does nothing when that was already done for this lockfile.
 *
 * @param {string} root the workspace's folder
 * @param {NodeJS.ProcessEnv} env with the pinned Node and pnpm first on PATH
 * @throws {SetupError} when pnpm fails
 */
export async function installPackages(root, env) {
  const stamp = join(root, "node_modules", ".duchenne-installed");
  const digest = createHash("sha256")
    .update(await readFile(join(root, "pnpm-lock.yaml")))
    .update(await readFile(join(root, "pnpm-workspace.yaml")))
    .digest("hex");
  if ((await readFile(stamp, "utf8").catch(() => "")) === digest) return;
  await step("Installing packages", async () => {
    const { code, stdout, stderr } = await capture("pnpm", ["install", "--frozen-lockfile", "--prefer-offline"], {
      cwd: root,
      // onnxruntime-node's CPU library is in the package; its install step would fetch CUDA's.
      env: { ...env, ONNXRUNTIME_NODE_INSTALL: "skip" },
    });
    if (code !== 0) {
      throw new SetupError(
        `pnpm install failed:\n${(stdout + stderr).trim().split("\n").slice(-15).join("\n")}`,
        "Check the network and the registry in npm's configuration (npm config get registry), then run the command again.",
      );
    }
    await writeFile(stamp, digest);
  });
}
