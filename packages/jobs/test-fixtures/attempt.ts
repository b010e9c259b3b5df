// Attempts for the supervisor's tests: they count, and do what their spec says.
import { setTimeout as sleep } from "node:timers/promises";
import { runAttempt } from "../src/index.ts";

await runAttempt({
  async count({ spec, attempt }, { emit, saveCheckpoint, loadCheckpoint, signal }) {
    const { steps, stepMs, crashAt, haltAt, blockAt, failAt, failCode, failOnStop, ignoreStop } = spec as Record<
      string,
      number | string
    >;
    if (ignoreStop !== undefined) signal.onabort = () => emit({ kind: "log", level: "info", text: "told to stop" });
    let step = Number((await loadCheckpoint())?.toString() ?? 0);
    while (step < Number(steps)) {
      step++;
      if (step === crashAt && attempt === 1) process.kill(process.pid, "SIGKILL");
      if (step === haltAt && attempt === 1) process.kill(process.pid, "SIGSTOP");
      if (step === blockAt && attempt === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      if (step === failAt || (failOnStop !== undefined && signal.aborted)) {
        throw Object.assign(new Error("told to fail"), { code: failCode, reason: "TOLD_TO" });
      }
      emit({ kind: "metrics", step, epoch: 0, values: { attempt } });
      await saveCheckpoint(step, Buffer.from(String(step)));
      await sleep(Number(stepMs ?? 1));
      if (ignoreStop === undefined && failOnStop === undefined) signal.throwIfAborted();
    }
    return { step, gpus: process.env.CUDA_VISIBLE_DEVICES ?? null };
  },
});
