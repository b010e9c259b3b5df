import { type DuchenneClient, jobStateName } from "@duchenne/client";
import { type Job, JobState } from "@duchenne/proto";
import { Command, Option } from "commander";
import { wholeNumber } from "../number-arguments.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

interface ListOptions {
  readonly parent: string;
  readonly kind: string[];
  readonly state: readonly string[];
  readonly limit: number;
}

/** States as `--state` takes them, such as "running". */
const STATES: Readonly<Record<string, JobState>> = {
  queued: JobState.QUEUED,
  running: JobState.RUNNING,
  retry_wait: JobState.RETRY_WAIT,
  pausing: JobState.PAUSING,
  paused: JobState.PAUSED,
  cancelling: JobState.CANCELLING,
  cancelled: JobState.CANCELLED,
  succeeded: JobState.SUCCEEDED,
  failed: JobState.FAILED,
};

/** What a job can be asked for; the answer is its new state. */
const REQUESTS: readonly {
  readonly verb: string;
  readonly description: string;
  readonly ask: (client: DuchenneClient, name: string) => Promise<Job>;
}[] = [
  {
    verb: "pause",
    description: "stop a job at a checkpoint, to be resumed",
    ask: ({ jobs }, name) => jobs.pauseJob({ name }),
  },
  {
    verb: "resume",
    description: "let a paused job go on from its checkpoint",
    ask: ({ jobs }, name) => jobs.resumeJob({ name }),
  },
  {
    verb: "cancel",
    description: "stop a job; it writes a checkpoint first",
    ask: ({ jobs }, name) => jobs.cancelJob({ name }),
  },
  {
    verb: "retry",
    description: "try a failed job again; it goes on from its last checkpoint",
    ask: ({ jobs }, name) => jobs.retryJob({ name }),
  },
];

/** `duchenne jobs`: list, watch, pause, resume, cancel, retry. */
export function jobsCommand(): Command {
  const jobs = new Command("jobs").description("list, watch, pause, resume, cancel and retry jobs");

  const list = jobs
    .command("list")
    .description("the newest jobs")
    .option("--parent <job>", "only the children of this one", "")
    .option("--kind <kinds...>", 'only jobs of these kinds, such as "fine_tune" or "evaluation"', [])
    .addOption(new Option("--state <states...>", "only jobs in these states").choices(Object.keys(STATES)).default([]))
    .option("--limit <number>", "at most this many", wholeNumber(1, 1000), 50)
    .addOption(serverOption());
  list.action(({ parent, kind: kinds, state, limit }: ListOptions) =>
    withClient(list, async (client) => {
      const states = state.map((name) => STATES[name]!);
      for (const job of (await client.jobs.listJobs({ pageSize: limit, parent, kinds, states })).jobs) {
        const percent = `${(100 * job.progress).toFixed(0)} %`.padStart(5);
        process.stdout.write(`${job.name}  ${jobStateName(job.state).padEnd(10)} ${percent}  ${job.displayName}\n`);
      }
    }),
  );

  const watch = jobs
    .command("watch")
    .description("follow a job to its end; survives restarts of the server")
    .argument("<name>", 'such as "jobs/3f0c..."')
    .addOption(serverOption());
  watch.action((name: string) =>
    withClient(watch, async (client) => {
      const { kind, displayName } = await client.jobs.getJob({ name });
      process.stderr.write(`${displayName}\n`);
      const { result } = await followJob(client, name, kind);
      process.stdout.write(`${JSON.stringify(result)}\n`);
    }),
  );

  for (const { verb, description, ask } of REQUESTS) {
    const command = jobs
      .command(verb)
      .description(description)
      .argument("<name>", 'such as "jobs/3f0c..."')
      .addOption(serverOption());
    command.action((name: string) =>
      withClient(command, async (client) => {
        process.stdout.write(`${jobStateName((await ask(client, name)).state)}\n`);
      }),
    );
  }
  return jobs;
}
