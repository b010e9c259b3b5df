#!/usr/bin/env node
import { describeError } from "./describe-error.ts";
import { createProgram } from "./program.ts";
import { styleFor } from "./terminal/style.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`${styleFor(process.stderr).bad("✗")} ${describeError(error)}\n`);
  process.exitCode = 1;
}
