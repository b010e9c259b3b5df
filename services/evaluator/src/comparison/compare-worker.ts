// A worker thread that compares two evaluations: seconds of work on many frames, which would hold up every stream of the
// process.
import { parentPort, workerData } from "node:worker_threads";
import { compareExpressions, compareScores } from "@duchenne/evaluation";
import type { ComparisonTask } from "./compare-in-thread.ts";

const task = workerData as ComparisonTask;
parentPort!.postMessage(
  task.answers === "action_units"
    ? compareScores(task.before, task.after, task.options)
    : compareExpressions(task.before, task.after, task.options),
);
