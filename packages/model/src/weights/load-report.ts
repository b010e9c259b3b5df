import { z } from "zod";

/** What became of every tensor when weights were loaded. */
export const loadReportSchema = z.object({
  /** Parameters of the model that the weights do not hold: they start as in a new model. */
  missing: z.array(z.string()),
  /** Tensors that the model has no place for. */
  unexpected: z.array(z.string()),
  /** Parameters that were brought to another shape: position embeddings of another grid. */
  reshaped: z.array(z.object({ name: z.string(), from: z.array(z.int()), to: z.array(z.int()) })),
  /** Tensors that have a place and were left out on purpose. */
  ignored: z.array(z.object({ name: z.string(), reason: z.string() })),
  /** What else a user should know. */
  notes: z.array(z.string()),
});
/** What became of every tensor when weights were loaded. */
export type LoadReport = z.output<typeof loadReportSchema>;

/** A report of nothing. */
export function createLoadReport(): LoadReport {
  return { missing: [], unexpected: [], reshaped: [], ignored: [], notes: [] };
}
