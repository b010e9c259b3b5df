import { jobConfigShape, parseConfiguration, processConfigShape } from "@duchenne/control";
import { z } from "zod";

/** What the evaluator alone is configured by, beside what every process is. */
export const evaluatorShape = {
  evaluationSlots: z.coerce.number().int().min(1).max(64).default(1).describe("Evaluations that run at once."),
  ...jobConfigShape,
};

/** The evaluator process's configuration. */
export const evaluatorConfigSchema = z.object({
  ...processConfigShape,
  ...evaluatorShape,
  grpcPort: processConfigShape.grpcPort.default(50_053),
  connectPort: processConfigShape.connectPort.default(8_053),
});
/** What the evaluator is configured by. */
export type EvaluatorConfig = z.output<z.ZodObject<typeof evaluatorShape>>;

/** Reads the process's configuration. @throws {ConfigurationError} with every problem */
export function readEvaluatorConfig(): z.output<typeof evaluatorConfigSchema> {
  return parseConfiguration(evaluatorConfigSchema, { args: process.argv.slice(2), env: process.env });
}
