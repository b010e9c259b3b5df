/** Runs jobs in child processes that survive the end of their server. */

export type { AttemptTools } from "./attempt-tools.ts";
export type { AttemptJob } from "./messages.ts";
export { createResourcePool, type ResourcePool, type Resources } from "./resource-pool.ts";
export { type AttemptHandler, AttemptStoppedError, runAttempt } from "./run-attempt.ts";
export { createSupervisor, type JobKind, type Supervisor, type SupervisorOptions } from "./supervisor.ts";
export { TooFewGpusError } from "./visible-gpus.ts";
