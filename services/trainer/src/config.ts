import { jobConfigShape, parseConfiguration, processConfigShape } from "@duchenne/control";
import { z } from "zod";

/** What the trainer alone is configured by, beside what every process is. */
export const trainerShape = {
  trainingSlots: z.coerce.number().int().min(1).max(64).default(1).describe("Trainings that run at once."),
  cancelGraceMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(120_000)
    .describe("How long a cancelled job may take to write its checkpoint, in milliseconds."),
  ...jobConfigShape,
  datasetRoots: z
    .string()
    .default("")
    .transform((text) => text.split(":").filter((root) => root !== ""))
    .describe('Folders, beside the data folder, that data sets may be registered from; separated by ":".'),
  maxDatasetBytes: z.coerce
    .number()
    .int()
    .min(2 ** 10)
    .max(2 ** 45)
    .default(64 * 2 ** 30)
    .describe("The largest data set that can be uploaded, packed and unpacked, in bytes."),
};

/** The trainer process's configuration. */
export const trainerConfigSchema = z.object({
  ...processConfigShape,
  ...trainerShape,
  grpcPort: processConfigShape.grpcPort.default(50_052),
  connectPort: processConfigShape.connectPort.default(8_052),
});
/** What the trainer is configured by. */
export type TrainerConfig = z.output<z.ZodObject<typeof trainerShape>>;

/** Reads the process's configuration. @throws {ConfigurationError} with every problem */
export function readTrainerConfig(): z.output<typeof trainerConfigSchema> {
  return parseConfiguration(trainerConfigSchema, { args: process.argv.slice(2), env: process.env });
}
