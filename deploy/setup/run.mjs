// `npm run demo`, `npm test` and `npm run setup` start here, under whatever Node is installed. This file brings the
// pinned Node and pnpm, installs the locked packages, and hands over to TypeScript under the pinned Node.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages } from "./install.mjs";
import { inherit } from "./process.mjs";
import { SetupError } from "./step.mjs";
import { ensureToolchain } from "./toolchain.mjs";

/** What each command runs once the workspace is installed, relative to the workspace's folder. */
const ENTRIES = {
  "check:gpu": "test/gpu/check-gpu.ts",
  "bench:kernels": "test/bench/bench-kernels.ts",
  "bench:train": "test/bench/bench-train.ts",
  console: "services/console/src/develop.ts",
  demo: "deploy/demo/main.ts",
  duchenne: "packages/cli/src/main.ts",
  "prebuild-addon": "deploy/setup/prebuild-addon.ts",
  setup: "deploy/setup/provision.ts",
  test: "deploy/setup/test.ts",
  "bench:detect": "test/bench/detect.ts",
  "bench:input": "test/bench/input.ts",
  experiments: "test/experiments/main.ts",
  "experiments:transfer": "test/experiments/transfer/main.ts",
  "test:chaos": "test/chaos/main.ts",
};

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const [command = "setup", ...args] = process.argv.slice(2);

try {
  const entry = ENTRIES[/** @type {keyof typeof ENTRIES} */ (command)];
  if (entry === undefined) {
    throw new SetupError(`Unknown command "${command}".`, `Use one of: ${Object.keys(ENTRIES).join(", ")}.`);
  }
  const { node, path } = await ensureToolchain();
  const env = { ...process.env, PATH: path };
  await installPackages(root, env);
  process.exitCode = await inherit(node, ["--disable-warning=ExperimentalWarning", join(root, entry), ...args], {
    env,
  });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n✗ ${error.message}\n  → ${error.remedy}\n`);
  process.exitCode = 1;
}
