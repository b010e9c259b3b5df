import { hasEnded, type JobEvent } from "./job-record.ts";
import type { JobRequests } from "./job-requests.ts";

/** Events read at once. */
const PAGE = 500;

/** A job's events after a number, until the job has ended or the changes have. */
export async function* followEvents(
  jobs: Pick<JobRequests, "get" | "events">,
  changes: AsyncIterable<void>,
  id: string,
  after: number,
): AsyncGenerator<JobEvent, void> {
  let seen = after;
  for await (const _ of changes) {
    // Read before the events: whatever the job's last event is, the events below include it.
    const { state, lastEvent } = await jobs.get(id);
    while (seen < lastEvent) {
      const events = await jobs.events(id, { after: seen, limit: PAGE });
      for (const event of events) {
        yield event;
        seen = event.number;
      }
    }
    if (hasEnded(state)) return;
  }
}
