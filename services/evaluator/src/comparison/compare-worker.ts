// A worker thread that compares two evaluations: seconds of work on many frames, which would hold up every stream of the
// process.
import { parentPort, workerData } from "node:worker_threads";
import { compareScores } from "@duchenne/evaluation";
import type { ComparisonTask } from "./compare-in-thread.ts";

const { before, after, options } = workerData as ComparisonTask;
parentPort!.postMessage(compareScores(before, after, options));
