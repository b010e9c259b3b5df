// The evaluator as a process of its own.
import { runServiceProcess } from "@duchenne/control";
import { readEvaluatorConfig } from "./config.ts";
import { createEvaluator } from "./create-evaluator.ts";

await runServiceProcess({ name: "evaluator", readConfig: readEvaluatorConfig, create: createEvaluator });
