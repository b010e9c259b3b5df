import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The demo's own server, on free ports. */
export interface DemoServer {
  /** Of the gRPC port. */
  readonly address: string;
  readonly connectUrl: string;
  /** The last of what it wrote to standard error. */
  log(): string;
  /** Resolves when the user ends the demo. */
  untilStopped(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts all services in one process and waits until it can answer. */
export async function startDemoServer(data: string): Promise<DemoServer> {
  const main = fileURLToPath(import.meta.resolve("@duchenne/standalone/main"));
  const args = ["--data", data, "--grpc-port", "0", "--connect-port", "0", "--json", "true", "--log-level", "warn"];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl+C ends the demo, which then ends its server.
    detached: true,
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  const exited = once(child, "exit");
  const interrupted = Promise.withResolvers<void>();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await exited;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      interrupted.resolve();
      void stop().then(() => process.exit(130));
    });
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const { host, grpcPort, connectPort } = JSON.parse(line) as { host: string; grpcPort: number; connectPort: number };
    return {
      address: `${host}:${grpcPort}`,
      connectUrl: `http://${host}:${connectPort}`,
      log: () => log,
      untilStopped: () => interrupted.promise,
      stop,
    };
  }
  await exited;
  throw new Error(`The server did not start:\n${log}`);
}
