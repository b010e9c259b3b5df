import { type DuchenneClient, jobStateName } from "@duchenne/client";
import type { Job } from "@duchenne/proto";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

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
    .addOption(serverOption());
  list.action(({ parent }: { readonly parent: string }) =>
    withClient(list, async (client) => {
      for (const job of (await client.jobs.listJobs({ pageSize: 50, parent })).jobs) {
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
