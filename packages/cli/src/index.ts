/** The `duchenne` command, and its parts that other programs draw with. */
export { describeError } from "./describe-error.ts";
export { createProgram } from "./program.ts";
export { createJobProgress, type JobProgress } from "./terminal/job-progress.ts";
export { type Style, styleFor } from "./terminal/style.ts";
