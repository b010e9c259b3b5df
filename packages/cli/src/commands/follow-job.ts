import { type DuchenneClient, JobNotSucceededError, watchJob } from "@duchenne/client";
import { type Job, JobState } from "@duchenne/proto";
import { createJobProgress } from "../terminal/job-progress.ts";
import { styleFor } from "../terminal/style.ts";

/** Watches a job to its end with a progress bar. @throws {JobNotSucceededError} */
export async function followJob(client: DuchenneClient, name: string, title: string): Promise<Job> {
  const progress = createJobProgress(process.stderr, styleFor(process.stderr), title);
  try {
    for await (const event of watchJob(client, name)) progress.show(event);
  } finally {
    progress.end();
  }
  const job = await client.jobs.getJob({ name });
  if (job.state !== JobState.SUCCEEDED) throw new JobNotSucceededError(job);
  return job;
}
