// The trainer as a process of its own.
import { runServiceProcess } from "@duchenne/control";
import { readTrainerConfig } from "./config.ts";
import { createTrainer } from "./create-trainer.ts";

await runServiceProcess({ name: "trainer", readConfig: readTrainerConfig, create: createTrainer });
