import { parseConfiguration, processConfigShape } from "@duchenne/control";
import { detectorShape } from "@duchenne/detector";
import { evaluatorShape } from "@duchenne/evaluator";
import { trainerShape } from "@duchenne/trainer";
import { z } from "zod";

/** The configuration of the process that holds all services. */
export const standaloneConfigSchema = z.object({
  ...processConfigShape,
  ...detectorShape,
  ...trainerShape,
  ...evaluatorShape,
  grpcPort: processConfigShape.grpcPort.default(50_051),
  connectPort: processConfigShape.connectPort.default(8_051),
});
/** What the standalone process is configured by. */
export type StandaloneConfig = z.output<typeof standaloneConfigSchema>;

/** Reads the process's configuration. @throws {ConfigurationError} with every problem */
export function readStandaloneConfig(args: readonly string[] = process.argv.slice(2)): StandaloneConfig {
  return parseConfiguration(standaloneConfigSchema, { args, env: process.env });
}
