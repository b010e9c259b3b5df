import { type DuchenneClient, waitForJob } from "@duchenne/client";
import type { Job } from "@duchenne/proto";
import { createJobProgress } from "../terminal/job-progress.ts";
import { styleFor } from "../terminal/style.ts";

/** Watches a job to its end with a progress bar. @throws {JobNotSucceededError} */
export async function followJob(client: DuchenneClient, name: string, title: string): Promise<Job> {
  const progress = createJobProgress(process.stderr, styleFor(process.stderr), title);
  try {
    return await waitForJob(client, name, { onEvent: progress.show });
  } finally {
    progress.end();
  }
}
