import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";

/** The processes of the product. */
export type ProcessName = "detector" | "trainer" | "evaluator" | "standalone";

/** A started process that answers. */
export interface ServerProcess {
  readonly pid: number;
  /** Over grpc-js's port. */
  readonly grpc: Transport;
  /** Over connect-node's port. */
  readonly connect: Transport;
  readonly grpcPort: number;
  readonly connectPort: number;
  /** What it wrote to standard error so far. */
  log(): string;
  /** Resolves when it has ended, however; with its exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Sends a signal and waits for the end; answers the exit code, null when the signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How a process of the product is started. */
export interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The largest file that it and its children may write: what is larger finds no room, as on a full disk. */
  readonly maxFileKiB?: number;
  /** Told the process's number at once, long before it is ready. */
  readonly onSpawn?: (pid: number) => void;
}

/** Starts a process of the product on free ports and waits until it says that it is ready. */
export async function startServer(
  name: ProcessName,
  dataDirectory: string,
  { args = [], env = {}, maxFileKiB, onSpawn }: ServerOptions = {},
): Promise<ServerProcess> {
  const main = fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));
  const limit = maxFileKiB === undefined ? "" : `ulimit -f ${maxFileKiB} && `;
  const child = spawn(
    "bash",
    [
      "-c",
      `${limit}exec "$0" "$@"`,
      process.execPath,
      main,
      "--data",
      dataDirectory,
      "--grpc-port",
      "0",
      "--connect-port",
      "0",
      "--json",
      "true",
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } },
  );
  if (child.pid !== undefined) onSpawn?.(child.pid);
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = once(child, "exit");
  const ready = await Promise.race([readyLine(child), exited.then(() => undefined)]);
  if (ready === undefined) {
    await exited;
    throw new Error(`Expected ${name} to become ready, it ended with ${child.exitCode}:\n${log}`);
  }
  return {
    pid: child.pid!,
    grpcPort: ready.grpcPort,
    connectPort: ready.connectPort,
    grpc: createGrpcTransport({ baseUrl: `http://127.0.0.1:${ready.grpcPort}` }),
    connect: createConnectTransport({ baseUrl: `http://127.0.0.1:${ready.connectPort}`, httpVersion: "1.1" }),
    log: () => log,
    exited: exited.then(() => child.exitCode),
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await exited;
      }
      return child.exitCode;
    },
  };
}

async function readyLine(child: ChildProcess): Promise<{ grpcPort: number; connectPort: number } | undefined> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const parsed = JSON.parse(line) as { event?: string; grpcPort: number; connectPort: number };
    if (parsed.event === "ready") return parsed;
  }
  return undefined;
}

/** A folder that is removed with `await using`. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "duchenne-e2e-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
