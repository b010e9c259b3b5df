import { jobStateName } from "@duchenne/client";
import type { JobEvent } from "@duchenne/proto";
import type { JobEvent as StoredEvent } from "@duchenne/store";

/** An event as somebody saw it. */
export interface SeenEvent {
  readonly number: number;
  readonly attempt: number;
  /** What it said, the same text for the stored event and for the one that a client got. */
  readonly said: string;
}

/** What clients asked for and were answered. */
export interface ClientLog {
  /** By request id, the jobs that were answered. */
  readonly requests: Map<string, Set<string>>;
  /** By job, the events that its watcher got. */
  readonly watches: Map<string, SeenEvent[]>;
  /** The versions that imports answered. */
  readonly imports: Set<string>;
  /** By name, the digests of the data sets that uploads answered. */
  readonly uploads: Map<string, string>;
  /** The uploads that went on in the middle. */
  readonly resumedUploads: Set<string>;
  /** Answers that are neither what was asked for nor a reason to ask again. */
  readonly surprises: Set<string>;
}

/** A log without a line. */
export function createClientLog(): ClientLog {
  return {
    requests: new Map(),
    watches: new Map(),
    imports: new Set(),
    uploads: new Map(),
    resumedUploads: new Set(),
    surprises: new Set(),
  };
}

/** An event that a client got. */
export function seenByClient({ number, attempt, event }: JobEvent): SeenEvent {
  const said = (): unknown => {
    switch (event.case) {
      case "state":
        return jobStateName(event.value.state);
      case "progress":
        return Number(event.value.step);
      case "metrics":
        return metricsText(Number(event.value.step), event.value.values);
      case "checkpoint":
        return `${event.value.step} ${event.value.digest}`;
      case "log":
        return event.value.text;
      case "artifact":
        return event.value.name;
      default:
        return "nothing";
    }
  };
  return { number: Number(number), attempt, said: `${event.case}: ${said()}` };
}

/** The same event as the store has it. */
export function seenInStore(event: StoredEvent): SeenEvent {
  const said = (): unknown => {
    switch (event.kind) {
      case "state":
        return event.state;
      case "progress":
        return event.step;
      case "metrics":
        return metricsText(event.step, event.values);
      case "checkpoint":
        return `${event.step} ${event.digest}`;
      case "log":
        return event.text;
      case "artifact":
        return event.name;
    }
  };
  return { number: event.number, attempt: event.attempt, said: `${event.kind}: ${said()}` };
}

/** The values of a step, to the last bit. */
export function metricsText(step: number, values: Readonly<Record<string, number>>): string {
  return `${step} ${JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
