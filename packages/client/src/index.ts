/** A typed client of Duchenne's services for Node. */
export { type ClientOptions, createDuchenneClient, type DuchenneClient } from "./duchenne-client.ts";
export { type FrameInput, type StreamAnswer, streamFrames } from "./stream-frames.ts";
export { JobNotSucceededError, jobStateName, type WatchOptions, waitForJob, watchJob } from "./watch-job.ts";
