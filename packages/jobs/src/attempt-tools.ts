import { BlobDamagedError, type JobEventBody, type Store } from "@duchenne/store";
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
  /**
   * The checkpoint of an earlier attempt: the newest that can be read. Of those that are damaged or missing the job's log
   * tells; when all are, the job starts from the beginning.
   */
  loadCheckpoint(): Promise<Uint8Array | undefined>;
}

const NEVER = new AbortController().signal;

/** Makes the tools of an attempt's process. @param send tells its supervisor */
export function createAttemptTools(
  job: Pick<AttemptJob, "id" | "checkpoints">,
  options: Pick<AttemptTools, "store" | "dataDirectory" | "signal"> & {
    readonly send: (message: AttemptMessage) => Promise<void>;
  },
): AttemptTools {
  const { dataDirectory, signal, send } = options;
  const store = patientStore(options.store, signal);
  const checkpoints = options.store.checkpoints.of(job.id);
  const emit = (event: JobEventBody) => void send({ kind: "event", event });
  return {
    signal,
    store,
    dataDirectory,
    emit,
    async saveCheckpoint(step, bytes) {
      // One that was told to stop still has to save it; its supervisor ends the process when that takes too long.
      const { digest, sizeBytes } = await whileUnavailable(() => checkpoints.put(bytes), NEVER);
      await send({ kind: "event", event: { kind: "checkpoint", step, digest, sizeBytes } });
    },
    async loadCheckpoint() {
      for (const [i, { step, digest }] of job.checkpoints.entries()) {
        try {
          return await store.checkpoints.of(job.id).get(digest);
        } catch (error) {
          if (!(error instanceof BlobDamagedError)) throw error;
          const older = job.checkpoints[i + 1];
          const instead = older === undefined ? "starts from the beginning" : `goes on from that of step ${older.step}`;
          const text = `The checkpoint of step ${step} cannot be read (${error.message}): ${instead}`;
          emit({ kind: "log", level: "warn", text });
        }
      }
      return undefined;
    },
  };
}
