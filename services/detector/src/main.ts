// The detector as a process of its own.
import { runServiceProcess } from "@duchenne/control";
import { readDetectorConfig } from "./config.ts";
import { createDetector } from "./create-detector.ts";

await runServiceProcess({ name: "detector", readConfig: readDetectorConfig, create: createDetector });
