/** Thrown when as many requests of a priority wait as may. */
export class QueueFullError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "QUEUE_FULL";

  constructor(priority: number, maxQueueSize: number) {
    super(`Expected at most ${maxQueueSize} images of priority ${priority} to wait, got one more`);
    this.name = "QueueFullError";
  }
}

/** Thrown for a request that waited longer than it may. */
export class QueueTimeoutError extends Error {
  readonly code = "deadline_exceeded";
  readonly reason = "QUEUE_TIMEOUT";

  constructor(timeoutMs: number) {
    const limit = timeoutMs < 10 ? Number(timeoutMs.toPrecision(2)) : Math.round(timeoutMs);
    super(`Expected to be taken within ${limit} ms, was still waiting`);
    this.name = "QueueTimeoutError";
  }
}

/** Thrown for a waiting request whose place a newer one of the same stream took. */
export class SupersededError extends Error {
  readonly code = "aborted";
  readonly reason = "SUPERSEDED";

  constructor() {
    super("A newer image of the same stream took the place of one that was still waiting");
    this.name = "SupersededError";
  }
}

/** Thrown for a priority that the queue does not have. */
export class UnknownPriorityError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNKNOWN_PRIORITY";
  readonly violations: readonly { field: string; description: string }[];

  constructor(priority: number, levels: number, defaultPriority: number) {
    const description = `Expected a priority of 1..${levels}, or 0 for ${defaultPriority}, got ${priority}`;
    super(description);
    this.name = "UnknownPriorityError";
    this.violations = [{ field: "priority", description }];
  }
}
