import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Rows of what nvidia-smi answers, cell by cell. @throws {Error} when the machine has no NVIDIA driver */
async function query(what: string): Promise<string[][]> {
  const call = promisify(execFile)("nvidia-smi", [what, "--format=csv,noheader,nounits"]);
  const { stdout } = await call.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error("nvidia-smi was not found: this machine has no NVIDIA driver");
  });
  const rows = stdout.split("\n").filter((line) => line.trim() !== "");
  return rows.map((line) => line.split(",").map((cell) => cell.trim()));
}

/** The GPUs in a line: model, memory, driver. */
export async function describeGpus(): Promise<string> {
  const gpus = await query("--query-gpu=name,memory.total,driver_version");
  return gpus.map(([name, mebibytes, driver]) => `${name}, ${mebibytes} MiB, driver ${driver}`).join("; ");
}

/**
 * What a process holds of the GPU's memory. Allocators of both sides keep what they took, so late in a run it is the peak.
 *
 * @returns NaN where the driver does not tell, as in some containers
 */
export async function gpuMemoryOf(pid: number): Promise<number> {
  const row = (await query("--query-compute-apps=pid,used_memory")).find(([id]) => id === `${pid}`);
  return Number(row?.[1] ?? Number.NaN) * 2 ** 20;
}
