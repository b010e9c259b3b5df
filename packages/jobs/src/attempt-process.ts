import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Logger } from "@duchenne/rpc";
import type { JobEventBody } from "@duchenne/store";
import { type AttemptMessage, attemptMessageSchema, type StartMessage, type SupervisorMessage } from "./messages.ts";

/** How an attempt's process came to its end. */
export type AttemptEnd =
  | Exclude<AttemptMessage, { kind: "event" }>
  /** It was ended by `kill`. */
  | { readonly kind: "killed" }
  /** It ended without a word. */
  | { readonly kind: "crashed"; readonly description: string };

/** A running attempt's process. */
export interface AttemptProcess {
  /** Asks it to save a checkpoint and end. */
  stop(): void;
  /** Ends it now. */
  kill(): void;
  /** Resolves when it is gone and all that it said was handled. */
  readonly ended: Promise<AttemptEnd>;
}

/** Events that are stored at once. */
const BATCH = 200;
/** Lines of standard error that a crash is described with. */
const KEPT_LINES = 15;

/**
 * Forks a module that calls runAttempt. Its events are stored in their order, those that came meanwhile together; when
 * that fails, the process is killed and `ended` rejects.
 */
export function startAttemptProcess(
  module: URL,
  start: StartMessage,
  { storeEvents, logger }: { storeEvents: (events: readonly JobEventBody[]) => Promise<void>; logger: Logger },
): AttemptProcess {
  const child = fork(module, [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const lastLines = keepLastLines(child, logger);
  let outcome: AttemptEnd | undefined;
  let killed = false;
  const waiting: JobEventBody[] = [];
  let storing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    child.kill("SIGKILL");
  };
  const storeWaiting = async () => {
    while (waiting.length > 0 && failure === undefined) await storeEvents(waiting.splice(0, BATCH));
    storing = undefined;
  };
  child.on("message", (raw) => {
    const parsed = attemptMessageSchema.safeParse(raw);
    if (!parsed.success) return fail(new Error("The attempt sent an unknown message", { cause: parsed.error }));
    const message = parsed.data;
    if (message.kind !== "event") {
      outcome = message;
      return;
    }
    waiting.push(message.event);
    storing ??= storeWaiting().catch(fail);
  });
  child.on("error", fail);
  const tell = (message: SupervisorMessage) => {
    if (child.connected) child.send(message, () => {});
  };
  tell(start);
  const gone = new Promise<string>((resolve) => {
    child.once("close", (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
    );
  });
  return {
    stop: () => tell({ kind: "stop" }),
    kill() {
      killed = true;
      child.kill("SIGKILL");
    },
    ended: gone.then(async (how) => {
      await storing;
      if (failure !== undefined) throw failure.error;
      if (outcome !== undefined) return outcome;
      if (killed) return { kind: "killed" };
      return { kind: "crashed", description: [`The attempt's process ${how}`, ...lastLines].join("\n") };
    }),
  };
}

function keepLastLines(child: ChildProcess, logger: Logger): readonly string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on("line", (line) => {
      logger.debug({ line }, "attempt output");
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    });
  }
  return lines;
}
