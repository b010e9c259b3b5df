import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { promisify } from "node:util";
import { createDuchenneClient } from "@duchenne/client";
import { cacheDirectory } from "@duchenne/provision";
import { findTensorFlow } from "@duchenne/tensor/provision";
import { findFaceModels } from "@duchenne/vision/provision";
import { Command } from "commander";
import { describeError } from "../describe-error.ts";
import { serverOption } from "../server-option.ts";
import { styleFor } from "../terminal/style.ts";

const run = promisify(execFile);

interface Check {
  readonly title: string;
  /** What is there, or why it is not. */
  readonly found: string;
  readonly ok: boolean;
  /** What to do when it is missing. */
  readonly remedy: string;
}

/** `duchenne doctor`: says what works on this machine, and what to do about the rest. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check this machine and the server")
    .addOption(serverOption())
    .action(async ({ server }: { server: string }) => {
      const checks = await Promise.all([
        node(),
        platform(),
        disk(),
        program("pip", "python3", ["-m", "pip", "--version"], "apt-get install python3-pip"),
        program("C++ compiler (training)", "g++", ["--version"], "apt-get install g++"),
        program("ffmpeg (video files)", "ffmpeg", ["-version"], "apt-get install ffmpeg"),
        faceModels(),
        tensorFlow(),
        reachable(server),
      ]);
      const style = styleFor(process.stdout);
      for (const { title, found, ok, remedy } of checks) {
        process.stdout.write(`${ok ? style.good("✓") : style.bad("✗")} ${title.padEnd(24)} ${found}\n`);
        if (!ok) process.stdout.write(`  → ${remedy}\n`);
      }
      if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}

function node(): Check {
  const { node: version } = process.versions;
  return { title: "Node", found: version, ok: Number(version.split(".")[0]) >= 24, remedy: "Use Node 24." };
}

function platform(): Check {
  const found = `${process.platform}-${process.arch}`;
  const remedy = "Only linux-x64 is tested; training needs it.";
  return { title: "Platform", found, ok: found === "linux-x64", remedy };
}

async function disk(): Promise<Check> {
  const { bavail, bsize } = await statfs("/");
  const gigabytes = (bavail * bsize) / 1e9;
  const remedy = "TensorFlow, models and data want about 3 GB.";
  return { title: "Free disk", found: `${gigabytes.toFixed(0)} GB`, ok: gigabytes > 3, remedy };
}

async function program(title: string, command: string, args: string[], install: string): Promise<Check> {
  const remedy = `Debian: ${install}`;
  try {
    const { stdout } = await run(command, args);
    return { title, found: stdout.split("\n")[0]!.split(" from ")[0]!, ok: true, remedy };
  } catch {
    return { title, found: "not found", ok: false, remedy };
  }
}

function faceModels(): Check {
  const ok = findFaceModels() !== undefined;
  return { title: "Face models", found: ok ? cacheDirectory() : "not fetched", ok, remedy: 'Run "npm run setup".' };
}

function tensorFlow(): Check {
  const files = findTensorFlow();
  const remedy = 'Run "npm run setup"; detection works without.';
  const found = files === undefined ? "not fetched" : `${files.version} for ${files.accelerator}`;
  return { title: "TensorFlow (training)", found, ok: files !== undefined, remedy };
}

async function reachable(address: string): Promise<Check> {
  const title = "Server";
  const remedy = 'Start one with "duchenne serve", or name it with --server.';
  const client = createDuchenneClient({ address });
  try {
    const { models } = await client.models.listModels({}, { timeoutMs: 3_000 });
    return { title, found: `${address}, ${models.length} model(s)`, ok: true, remedy };
  } catch (error) {
    return { title, found: `${address}: ${describeError(error).split("\n")[0]}`, ok: false, remedy };
  } finally {
    client.close();
  }
}
