import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, isRunning, type NetworkProxy, sendIfThere, startProxy } from "@duchenne/store/test-drivers";
import { type ProcessName, type ServerProcess, startServer } from "../e2e/server-process.ts";
import type { MachineClock } from "./machine-clock.ts";

/** A machine to start: one process of the product, and what it starts itself. */
export interface MachinePlan {
  readonly name: string;
  readonly process: ProcessName;
  /** Its data folder. */
  readonly directory: string;
  readonly args: readonly string[];
  /** Where Node keeps what it has compiled: starting again is most of what a machine here does. */
  readonly compileCache: string;
  readonly clock?: MachineClock | undefined;
}

/** A machine whose process is started again whenever it ends, as an operator's service manager does. */
export interface Machine {
  readonly name: string;
  readonly process: ProcessName;
  readonly clock: MachineClock | undefined;
  /** Clients reach it through this, whichever port it has. */
  readonly link: NetworkProxy;
  /** Its process, from its first moment on; undefined between two. */
  pid(): number | undefined;
  /** The attempts that it runs, also those that stand still. */
  workers(): readonly number[];
  /** Kills its process; false when there is none, or only one that is killed already. */
  kill(): boolean;
}

/** Machines that run until they are told to stop. */
export interface Fleet {
  readonly machines: readonly Machine[];
  /** What no kill explains: processes that ended by themselves, with the end of what they said. */
  readonly crashes: readonly string[];
  stop(): Promise<void>;
}

/** How long after a failed start the next one is tried. */
const RESTART_MS = 250;
/** What a process says that cannot start because its store is away. */
const IS_AWAY = /could not start\. The (database|object store) /;

/** Starts machines; resolves when all of them answer. */
export async function startFleet(plans: readonly MachinePlan[]): Promise<Fleet> {
  const crashes: string[] = [];
  const stopping = new AbortController();
  const started = await Promise.all(plans.map((plan) => keepRunning(plan, crashes, stopping.signal)));
  let stopped: Promise<unknown> | undefined;
  return {
    machines: started.map(({ machine }) => machine),
    crashes,
    async stop() {
      stopping.abort();
      stopped ??= Promise.all(started.map(({ stop }) => stop()));
      await stopped;
    },
  };
}

async function keepRunning(plan: MachinePlan, crashes: string[], stopping: AbortSignal) {
  const link = await startProxy(0);
  const answers = Promise.withResolvers<void>();
  let pid: number | undefined;
  let running: ServerProcess | undefined;
  /** The processes that were killed. */
  const killed = new Set<number>();
  const crashed = (how: string, said: string) => crashes.push(`${plan.name} ${how}:\n${said.slice(-2_000)}`);

  async function runOnce(): Promise<void> {
    try {
      running = await startServer(plan.process, plan.directory, {
        args: [...plan.args, "--json", "true"],
        env: { NODE_COMPILE_CACHE: plan.compileCache, ...plan.clock?.env },
        onSpawn: (number) => {
          pid = number;
          // Numbers are used again.
          killed.delete(number);
        },
      });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (pid !== undefined && !killed.has(pid) && !IS_AWAY.test(said)) crashed("could not start", said);
      pid = undefined;
      await sleep(RESTART_MS);
      return;
    }
    link.redirect(running.grpcPort);
    answers.resolve();
    if (stopping.aborted) return;
    const code = await running.exited;
    if (!stopping.aborted && !killed.has(running.pid)) crashed(`ended by itself with ${code}`, running.log());
    running = undefined;
    pid = undefined;
  }
  // Whoever started it may be told to end in the middle.
  const endWithUs = () => {
    if (pid !== undefined) sendIfThere("SIGKILL", pid);
  };
  process.on("exit", endWithUs);
  const loop = (async () => {
    while (!stopping.aborted) await runOnce();
  })();
  await Promise.race([answers.promise, loop]);

  const machine: Machine = {
    name: plan.name,
    process: plan.process,
    clock: plan.clock,
    link,
    pid: () => pid,
    workers: () => (pid === undefined ? [] : childrenOf(pid).filter(isRunning)),
    kill() {
      if (pid === undefined || killed.has(pid)) return false;
      killed.add(pid);
      return sendIfThere("SIGKILL", pid);
    },
  };
  const stop = async () => {
    if (running !== undefined) await running.end();
    await loop;
    if (running !== undefined) await running.end();
    process.off("exit", endWithUs);
    await link.stop();
  };
  return { machine, stop };
}
