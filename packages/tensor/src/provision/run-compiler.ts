import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ProvisionError } from "@duchenne/provision";

const run = promisify(execFile);

/** What is compiled, for messages. */
export interface Compilation {
  /** Begins a sentence: "The TensorFlow addon". */
  readonly product: string;
  /** Of the error. */
  readonly reason: string;
  /** What works without it: "Detection works without." */
  readonly without: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs g++. @throws {ProvisionError} when there is none, or with its first errors */
export async function runCompiler(args: readonly string[], compilation: Compilation): Promise<void> {
  const { product, reason, without, signal } = compilation;
  await run("g++", args, { maxBuffer: 2 ** 26, ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      const message = `No C++ compiler (g++) was found. ${product} cannot be compiled.`;
      throw new ProvisionError(reason, message, `Debian: apt-get install g++. ${without}`, error);
    }
    const problems = stderr.split("\n").filter((line) => line.includes("error"));
    throw new ProvisionError(
      reason,
      `${product} could not be compiled: ${problems.slice(0, 5).join("; ")}`,
      `Update the compiler (GCC 9 or newer; Debian: apt-get install g++). ${without}`,
      error,
    );
  });
}
