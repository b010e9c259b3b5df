import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a side says once it is ready. */
export interface Ready {
  /** PyTorch's. */
  readonly version?: string;
  /** Ours: what recording the step took, and whether kernels are fused. */
  readonly recordMilliseconds?: number;
  readonly fused?: boolean;
}
/** What some steps took. */
export interface StepsAnswer {
  readonly milliseconds: readonly number[];
  readonly losses: readonly number[];
  /** Ours: how often the step was recorded so far. */
  readonly recordings?: number;
}
/** The process's memory. */
export interface MemoryAnswer {
  readonly peakBytes: number;
  readonly residentBytes: number;
  readonly tensors?: number;
}
/** One operation's share of a step. */
export interface ProfileAnswer {
  readonly times: readonly { readonly operation: string; readonly count: number; readonly milliseconds: number }[];
}

/** One of the two programs that are compared, in a process of its own. */
export interface Side {
  readonly ready: Ready;
  readonly pid: number;
  steps(count: number): Promise<StepsAnswer>;
  weights(file: string): Promise<void>;
  profile(): Promise<ProfileAnswer>;
  memory(): Promise<MemoryAnswer>;
  end(): Promise<void>;
}

/** Starts a side and waits until its model is built. @throws {Error} when it ends early */
export async function startSide(
  command: string,
  args: readonly string[],
  threads: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Side> {
  const child: ChildProcessWithoutNullStreams = spawn(command, args, {
    env: { ...process.env, OMP_NUM_THREADS: `${threads}`, ...env },
  });
  let complaints = "";
  child.stderr.on("data", (data: Buffer) => {
    complaints = `${complaints}${data}`.slice(-4000);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function next<T>(): Promise<T> {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(" ")} ended with ${await ended}: ${complaints}`);
    return JSON.parse(value) as T;
  }
  const ask = <T>(line: string): Promise<T> => {
    child.stdin.write(`${line}\n`);
    return next<T>();
  };
  const ready = await next<Ready>();
  return {
    ready,
    pid: child.pid!,
    steps: (count) => ask(`steps ${count}`),
    weights: async (file) => void (await ask(`weights ${file}`)),
    profile: () => ask("profile"),
    memory: () => ask("memory"),
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
