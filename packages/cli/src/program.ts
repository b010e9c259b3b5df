import { Command } from "commander";
import { analyzeCommand } from "./commands/analyze.ts";
import { compareCommand } from "./commands/compare.ts";
import { crossValidateCommand } from "./commands/cross-validate.ts";
import { datasetsCommand } from "./commands/datasets.ts";
import { detectCommand } from "./commands/detect.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { evaluationsCommand } from "./commands/evaluations.ts";
import { jobsCommand } from "./commands/jobs.ts";
import { modelsCommand } from "./commands/models.ts";
import { projectCommand } from "./commands/project.ts";
import { serveCommand } from "./commands/serve.ts";
import { trainingCommands } from "./commands/training/training-commands.ts";

/** The `duchenne` command. */
export function createProgram(): Command {
  const program = new Command("duchenne").description("Facial action units as a service: detect, train, evaluate.");
  for (const command of [
    serveCommand(),
    detectCommand(),
    analyzeCommand(),
    ...trainingCommands(),
    evaluateCommand(),
    evaluationsCommand(),
    crossValidateCommand(),
    compareCommand(),
    projectCommand(),
    jobsCommand(),
    datasetsCommand(),
    modelsCommand(),
    doctorCommand(),
  ]) {
    program.addCommand(command);
  }
  return program;
}
