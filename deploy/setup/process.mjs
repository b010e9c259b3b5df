// Runs on any Node >= 20, before anything is installed.
import { spawn } from "node:child_process";

/**
 * Runs a command to its end, keeping what it prints.
 *
 * @param {string} command the executable
 * @param {readonly string[]} args its arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options folder and environment
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>} code 127 when it cannot be started
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", (error) => resolve({ code: 127, stdout, stderr: stderr + error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/**
 * Runs a command to its end on this terminal. SIGINT and SIGTERM reach it and are waited for.
 *
 * @param {string} command the executable
 * @param {readonly string[]} args its arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options folder and environment
 * @returns {Promise<number>} its exit code
 */
export function inherit(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: "inherit" });
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on("SIGTERM", forward);
    // The terminal sends SIGINT to the child as well; this process only has to outlive it.
    const ignore = () => {};
    process.on("SIGINT", ignore);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGTERM", forward);
      process.off("SIGINT", ignore);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}
