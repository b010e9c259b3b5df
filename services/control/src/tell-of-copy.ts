import type { AttemptTools } from "@duchenne/jobs";

/** Logs in a job's events that its data set is copied to the machine, which can take long. */
export function tellOfCopy(emit: AttemptTools["emit"], name: string) {
  return ({ files, sizeBytes }: { readonly files: number; readonly sizeBytes: number }): void => {
    const text = `Copies ${name} to this machine: ${files} files, ${(sizeBytes / 1e6).toFixed(1)} MB`;
    emit({ kind: "log", level: "info", text });
  };
}
