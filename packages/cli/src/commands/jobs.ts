import { jobStateName } from "@duchenne/client";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

/** `duchenne jobs`: list, watch, pause, resume, cancel, retry. */
export function jobsCommand(): Command {
  const jobs = new Command("jobs").description("list, watch, pause, resume, cancel and retry jobs");

  const list = jobs.command("list").description("the newest jobs").addOption(serverOption());
  list.action(() =>
    withClient(list, async (client) => {
      for (const job of (await client.jobs.listJobs({ pageSize: 50 })).jobs) {
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

  const pause = jobs
    .command("pause")
    .description("stop a job at a checkpoint, to be resumed")
    .argument("<name>", 'such as "jobs/3f0c..."')
    .addOption(serverOption());
  pause.action((name: string) =>
    withClient(pause, async (client) => {
      const { state } = await client.jobs.pauseJob({ name });
      process.stdout.write(`${jobStateName(state)}\n`);
    }),
  );

  const resume = jobs
    .command("resume")
    .description("let a paused job go on from its checkpoint")
    .argument("<name>", 'such as "jobs/3f0c..."')
    .addOption(serverOption());
  resume.action((name: string) =>
    withClient(resume, async (client) => {
      const { state } = await client.jobs.resumeJob({ name });
      process.stdout.write(`${jobStateName(state)}\n`);
    }),
  );

  const cancel = jobs
    .command("cancel")
    .description("stop a job; it writes a checkpoint first")
    .argument("<name>", 'such as "jobs/3f0c..."')
    .addOption(serverOption());
  cancel.action((name: string) =>
    withClient(cancel, async (client) => {
      const { state } = await client.jobs.cancelJob({ name });
      process.stdout.write(`${jobStateName(state)}\n`);
    }),
  );

  const retry = jobs
    .command("retry")
    .description("try a failed job again; it goes on from its last checkpoint")
    .argument("<name>", 'such as "jobs/3f0c..."')
    .addOption(serverOption());
  retry.action((name: string) =>
    withClient(retry, async (client) => {
      const { state } = await client.jobs.retryJob({ name });
      process.stdout.write(`${jobStateName(state)}\n`);
    }),
  );
  return jobs;
}
