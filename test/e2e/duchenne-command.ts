import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ServerProcess } from "./server-process.ts";

const main = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

/** How a command ended, and what it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `duchenne` command against a server, without colours. */
export function duchenneCommand(
  { grpcPort }: Pick<ServerProcess, "grpcPort">,
  ...args: readonly string[]
): Promise<CommandResult> {
  const env = { ...process.env, DUCHENNE_SERVER: `127.0.0.1:${grpcPort}`, NO_COLOR: "1" };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}
