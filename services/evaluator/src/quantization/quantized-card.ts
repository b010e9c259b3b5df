import type { ModelCard, Quantization } from "@duchenne/model";

/** The source's card, said of its version in integers. */
export function quantizedCard(
  source: ModelCard,
  {
    model,
    sourceVersion,
    job,
    quantization,
  }: {
    /** "models/{model}" that gets the version. */
    readonly model: string;
    readonly sourceVersion: string;
    readonly job: { readonly id: string; readonly attempt: number };
    readonly quantization: Quantization;
  },
): ModelCard {
  return {
    ...source,
    model,
    description: `${source.description} In ${quantization.precision}, from ${sourceVersion}.`,
    // Those of the source's training are of float32.
    metrics: {},
    lineage: { job: job.id, attempt: job.attempt, quantizedModelVersion: sourceVersion },
    quantization,
  };
}
