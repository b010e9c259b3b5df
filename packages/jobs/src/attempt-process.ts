import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Logger } from "@duchenne/rpc";
import type { JobEventBody } from "@duchenne/store";
import { type AttemptMessage, attemptMessageSchema, type StartMessage, type SupervisorMessage } from "./messages.ts";
import { watchSilence } from "./watch-silence.ts";

/** How an attempt's process came to its end. */
export type AttemptEnd =
  | Exclude<AttemptMessage, { kind: "event" | "alive" }>
  /** It was ended by `kill`. */
  | { readonly kind: "killed" }
  /** It gave no sign of life for too long, and was ended. */
  | { readonly kind: "stalled"; readonly description: string }
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

/** What an attempt's process is run with. */
export interface AttemptProcessOptions {
  /** What it has in its environment, beside what this process has. */
  readonly environment: Readonly<Record<string, string>>;
  readonly storeEvents: (events: readonly JobEventBody[]) => Promise<void>;
  /** How long it may be without a sign of life before it is ended. */
  readonly stallMs: number;
  readonly logger: Logger;
}

/** How many signs of life there are in the time that it may be without one, and how often they are given at least. */
const SIGNS = 10;
const LONGEST_SIGN_MS = 10_000;
/** A process may take this long to load what it needs, on a busy machine. */
const START_MS = 5 * 60_000;
/** Events that are stored at once. */
const BATCH = 200;
/** Lines of standard error that a crash is described with. */
const KEPT_LINES = 15;

/**
 * Forks a module that calls runAttempt. Its events are stored in their order, those that came meanwhile together; when
 * that fails, the process is killed and `ended` rejects. One that gives no sign of life is killed as well.
 */
export function startAttemptProcess(
  module: URL,
  start: Omit<StartMessage, "signMs">,
  { environment, storeEvents, stallMs, logger }: AttemptProcessOptions,
): AttemptProcess {
  const child = fork(module, [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, ...environment },
  });
  const lastLines = keepLastLines(child, logger);
  let outcome: AttemptEnd | undefined;
  let killed = false;
  let stalled = false;
  const signs = watchSilence({ limitMs: stallMs, firstMs: START_MS }, () => {
    stalled = true;
    child.kill("SIGKILL");
  });
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
    signs.heard();
    const parsed = attemptMessageSchema.safeParse(raw);
    if (!parsed.success) return fail(new Error("The attempt sent an unknown message", { cause: parsed.error }));
    const message = parsed.data;
    if (message.kind === "alive") return;
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
  tell({ ...start, signMs: Math.min(stallMs / SIGNS, LONGEST_SIGN_MS) });
  const gone = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => {
      signs.stop();
      resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    });
  });
  return {
    stop: () => tell({ kind: "stop" }),
    kill() {
      killed = true;
      signs.stop();
      child.kill("SIGKILL");
    },
    ended: gone.then(async (how) => {
      await storing;
      if (failure !== undefined) throw failure.error;
      if (outcome !== undefined) return outcome;
      if (killed) return { kind: "killed" };
      const say = (what: string) => [`The attempt's process ${what}`, ...lastLines].join("\n");
      if (stalled) return { kind: "stalled", description: say(`gave no sign of life for ${stallMs} ms and was ended`) };
      return { kind: "crashed", description: say(how) };
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
