/** All services in one process: the embedded default. */
export { readStandaloneConfig, type StandaloneConfig } from "./config.ts";
export { createStandalone } from "./create-standalone.ts";
