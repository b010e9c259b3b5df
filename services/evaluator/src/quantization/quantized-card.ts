import { inheritedLicenses, type ModelCard, type Quantization, UNKNOWN_LICENSE } from "@duchenne/model";

/** The source's card, said of its version in integers. */
export function quantizedCard(
  source: ModelCard,
  {
    model,
    sourceVersion,
    sourceDigest,
    job,
    quantization,
    calibrationLicense = UNKNOWN_LICENSE,
  }: {
    /** "models/{model}" that gets the version. */
    readonly model: string;
    readonly sourceVersion: string;
    readonly sourceDigest: string;
    readonly job: { readonly id: string; readonly attempt: number };
    readonly quantization: Quantization;
    /** Of the data set that it was calibrated on, when it is known. */
    readonly calibrationLicense?: string | undefined;
  },
): ModelCard {
  const { dataset, digest } = quantization.calibration;
  return {
    ...source,
    model,
    description: `${source.description} In ${quantization.precision}, from ${sourceVersion}.`,
    // Those of the source's training are of float32.
    metrics: {},
    licenses: [...inheritedLicenses(source, sourceVersion), { source: dataset, digest, license: calibrationLicense }],
    lineage: {
      // What the source was made from stays: the source may be deleted.
      ...source.lineage,
      job: job.id,
      attempt: job.attempt,
      quantizedModelVersion: sourceVersion,
      quantizedModelDigest: sourceDigest,
    },
    quantization,
  };
}
