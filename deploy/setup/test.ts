// `npm test`: provisions what the tests need, runs the static checks and the tests, and ends with "N passed, N failed".
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { provision } from "./provision-parts.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The checks that are not vitest's, each one line in the count. */
const checks: readonly { title: string; command: readonly [string, ...string[]]; cwd?: string }[] = [
  { title: "format and lint (biome)", command: ["biome", "check", "."] },
  { title: "types (tsc)", command: ["tsc", "--noEmit"] },
  { title: "types of the live page (tsc)", command: ["tsc", "-p", "services/console/web"] },
  { title: "unused code and dependencies (knip)", command: ["knip"] },
  { title: "proto lint (buf)", command: ["buf", "lint"], cwd: "proto" },
];

function run(command: string, args: readonly string[], cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: "inherit", env: { ...process.env, PATH: path } });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; assertionResults: unknown[] }[];
}

const path = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;
const filters = process.argv.slice(2);
let passed = 0;
let failed = 0;

const missing = await provision();
for (const problem of missing) {
  process.stderr.write(`✗ ${problem}\n`);
  failed++;
}

if (filters.length === 0) {
  for (const { title, command, cwd } of checks) {
    const [executable, ...args] = command;
    process.stderr.write(`· ${title}\n`);
    if ((await run(executable, args, join(root, cwd ?? ""))) === 0) passed++;
    else {
      process.stderr.write(`✗ ${title}\n`);
      failed++;
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), "duchenne-test-"));
try {
  const reportFile = join(folder, "vitest.json");
  const code = await run(
    "vitest",
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...filters],
    root,
  );
  const report: VitestReport = JSON.parse(await readFile(reportFile, "utf8"));
  // A file that does not even load has no assertions, but it is a failure.
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  for (const file of broken) process.stderr.write(`✗ does not load: ${file.name}\n`);
  passed += report.numPassedTests;
  failed += report.numFailedTests + broken.length;
  // An unhandled error fails the run although every test passed.
  if (code !== 0 && failed === 0) failed++;
} finally {
  await rm(folder, { recursive: true, force: true });
}

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
