import type { ModelCard } from "./card.ts";
import { type CardLicense, UNKNOWN_LICENSE } from "./card-license.ts";

/** The licences that a version hands on to one that is made from it. @param version "models/{model}/versions/{version}" */
export function inheritedLicenses(card: ModelCard, version: string): CardLicense[] {
  return (card.licenses ?? licensesOfEarlierCard(card)).map((each) => ({ ...each, through: version }));
}

/** Cards of earlier releases have no list: what they were made from is named, and what holds for it is not known. */
function licensesOfEarlierCard({ dataset, imported, lineage }: ModelCard): CardLicense[] {
  const license = UNKNOWN_LICENSE;
  const { initialModelVersion, teacherModelVersion, quantizedModelVersion } = lineage;
  const versions = [initialModelVersion, teacherModelVersion, quantizedModelVersion];
  return [
    ...(dataset === undefined ? [] : [{ source: dataset.name, digest: dataset.digest, license }]),
    ...(imported === undefined
      ? []
      : [{ source: imported.fileName, digest: imported.sha256, license: imported.licenseNote || license }]),
    ...versions.flatMap((source) => (source === undefined ? [] : [{ source, license }])),
  ];
}
