import { JobService, JobState } from "@duchenne/proto";
import { type ServiceHandler, serviceHandler } from "@duchenne/rpc";
import { JOB_STATES, type Store } from "@duchenne/store";
import { jobEventMessage, jobMessage } from "./convert.ts";
import { parseJobName } from "./resource-name.ts";

/** Thrown in streams when the server stops: call again with the last number seen. */
export class ServerStoppingError extends Error {
  readonly code = "unavailable";
  readonly reason = "SERVER_STOPPING";

  constructor() {
    super("The server is stopping; call again with the last event number that was seen");
    this.name = "ServerStoppingError";
  }
}

/** Page size when the caller names none. */
export const DEFAULT_PAGE_SIZE = 50;

/** Serves the store's jobs; any process can. */
export function createJobService(store: Store): ServiceHandler {
  return serviceHandler(JobService, {
    getJob: async ({ name }) => jobMessage(await store.jobs.get(parseJobName(name))),

    async listJobs({ pageSize, pageToken, parent, kinds, states }) {
      const of = parent === "" ? {} : { parent: parseJobName(parent, "parent") };
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const inStates = JOB_STATES.filter((state) => states.includes(JobState[state]));
      const { jobs, nextPageToken } = await store.jobs.list({ ...page, ...of, kinds, states: inStates });
      return { jobs: jobs.map(jobMessage), nextPageToken };
    },

    pauseJob: async ({ name }) => jobMessage(await store.jobs.requestPause(parseJobName(name))),

    resumeJob: async ({ name }) => jobMessage(await store.jobs.requestResume(parseJobName(name))),

    cancelJob: async ({ name }) => jobMessage(await store.jobs.requestCancel(parseJobName(name))),

    retryJob: async ({ name }) => jobMessage(await store.jobs.retry(parseJobName(name))),

    async *watchJob({ name, afterEvent }, { signal, draining }) {
      const stop = AbortSignal.any([signal, draining]);
      const events = store.jobs.follow(parseJobName(name), { after: Number(afterEvent), signal: stop });
      for await (const event of events) yield { event: jobEventMessage(event) };
      signal.throwIfAborted();
      if (draining.aborted) throw new ServerStoppingError();
    },
  });
}
