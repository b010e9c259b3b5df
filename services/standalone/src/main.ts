// All services in one process.
import { runServiceProcess } from "@duchenne/control";
import { readStandaloneConfig } from "./config.ts";
import { createStandalone } from "./create-standalone.ts";

await runServiceProcess({ name: "standalone", readConfig: readStandaloneConfig, create: createStandalone });
