import type { JobEventBody, Store } from "@duchenne/store";
import type { AttemptJob, AttemptMessage } from "./messages.ts";
import { patientStore } from "./patient-store.ts";
import { whileUnavailable } from "./while-unavailable.ts";

/** What an attempt works with. */
export interface AttemptTools {
  /** Aborts when the job is to stop: save a checkpoint, then throw the signal's reason. */
  readonly signal: AbortSignal;
  /** Its calls wait for as long as it cannot be reached. */
  readonly store: Store;
  /** The store's folder of this machine. */
  readonly dataDirectory: string;
  /** Tells of progress, metrics, logs and artifacts. */
  emit(event: JobEventBody): void;
  /** Stores a checkpoint; the next attempt starts from it. */
  saveCheckpoint(step: number, bytes: Uint8Array): Promise<void>;
  /** The checkpoint of an earlier attempt. */
  loadCheckpoint(): Promise<Uint8Array | undefined>;
}

const NEVER = new AbortController().signal;

/** Makes the tools of an attempt's process. @param send tells its supervisor */
export function createAttemptTools(
  job: Pick<AttemptJob, "id" | "checkpoint">,
  options: Pick<AttemptTools, "store" | "dataDirectory" | "signal"> & {
    readonly send: (message: AttemptMessage) => Promise<void>;
  },
): AttemptTools {
  const { dataDirectory, signal, send } = options;
  const store = patientStore(options.store, signal);
  const checkpoints = options.store.checkpoints.of(job.id);
  return {
    signal,
    store,
    dataDirectory,
    emit: (event) => void send({ kind: "event", event }),
    async saveCheckpoint(step, bytes) {
      // One that was told to stop still has to save it; its supervisor ends the process when that takes too long.
      const { digest, sizeBytes } = await whileUnavailable(() => checkpoints.put(bytes), NEVER);
      await send({ kind: "event", event: { kind: "checkpoint", step, digest, sizeBytes } });
    },
    loadCheckpoint: async () =>
      job.checkpoint === undefined ? undefined : await store.checkpoints.of(job.id).get(job.checkpoint),
  };
}
