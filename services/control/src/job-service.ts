import { JobService } from "@duchenne/proto";
import { type ServiceHandler, serviceHandler } from "@duchenne/rpc";
import { hasEnded, type Store } from "@duchenne/store";
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

/** Events read at once. */
const EVENT_PAGE = 500;
/** Page size when the caller names none. */
export const DEFAULT_PAGE_SIZE = 50;

/** Serves the store's jobs; any process can. */
export function createJobService(store: Store): ServiceHandler {
  return serviceHandler(JobService, {
    getJob: async ({ name }) => jobMessage(await store.jobs.get(parseJobName(name))),

    async listJobs({ pageSize, pageToken }) {
      const { jobs, nextPageToken } = await store.jobs.list({ pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken });
      return { jobs: jobs.map(jobMessage), nextPageToken };
    },

    cancelJob: async ({ name }) => jobMessage(await store.jobs.requestCancel(parseJobName(name))),

    retryJob: async ({ name }) => jobMessage(await store.jobs.retry(parseJobName(name))),

    async *watchJob({ name, afterEvent }, { signal, draining }) {
      const id = parseJobName(name);
      let after = Number(afterEvent);
      const stop = AbortSignal.any([signal, draining]);
      for await (const _ of store.changes(stop)) {
        // Read before the events: whatever the job's last event is, the events below include it.
        const { state, lastEvent } = await store.jobs.get(id);
        for (;;) {
          const events = await store.jobs.events(id, { after, limit: EVENT_PAGE });
          for (const event of events) {
            yield { event: jobEventMessage(event) };
            after = event.number;
          }
          if (events.length < EVENT_PAGE) break;
        }
        if (hasEnded(state) && after >= lastEvent) return;
      }
      signal.throwIfAborted();
      throw new ServerStoppingError();
    },
  });
}
