import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addJobOptions, jobOptionsFrom } from "./job-options.ts";

/** What a command line says. */
function said(...args: string[]) {
  const command = addJobOptions(new Command("start").exitOverride().configureOutput({ writeErr: () => {} }));
  return jobOptionsFrom(command.parse(args, { from: "user" }));
}

describe("options that say how a job is run", () => {
  it("are those of the message", () => {
    const args = ["--priority", "-3", "--time-limit", "1.5h", "--after", "jobs/a", "--after", "jobs/b"];
    expect(said(...args, "--resources", "gpu=1,memory_gib=32")).toMatchObject({
      priority: -3,
      timeLimit: { seconds: 5_400n },
      after: ["jobs/a", "jobs/b"],
      resources: { gpu: 1, memory_gib: 32 },
    });
    expect(said()).toEqual({ priority: 0, after: [], resources: {} });
  });

  it("are refused when they mean nothing", () => {
    expect(() => said("--priority", "high")).toThrow('Expected a whole number, got "high"');
    for (const text of ["0s", "1w", "h", "1e3s"])
      expect(() => said("--time-limit", text), text).toThrow("Expected a time");
    for (const text of ["gpu", "gpu=0", "gpu=1;a=2", ""]) {
      expect(() => said("--resources", text), text).toThrow("Expected amounts such as");
    }
  });
});
