import { actionUnitName } from "@duchenne/data";
import { type Dataset, DatasetProtocol } from "@duchenne/proto";

/** Names of what a folder can be read as, beside a manifest. */
export const PROTOCOLS_BY_NAME = {
  images: DatasetProtocol.IMAGES,
  bp4d: DatasetProtocol.BP4D,
  "bp4d+": DatasetProtocol.BP4D_PLUS,
  disfa: DatasetProtocol.DISFA,
  "raf-db": DatasetProtocol.RAF_DB,
  "affectnet-8": DatasetProtocol.AFFECTNET_8,
} as const;

/** What the option for a data set's licence is for. */
export const LICENSE_HELP =
  "what is known of the licence of images and labels, for the cards of what is trained on them; else what dataset.json says";

/** What a data set holds, as lines of text: labels with their shares, folds and parts. */
export function datasetReport(dataset: Dataset): string {
  const { name, protocol, subjects, identities, frames, digest, directory, labelFiles, stored } = dataset;
  const known = Object.entries(PROTOCOLS_BY_NAME).find(([, each]) => each === protocol);
  const vocabulary = identities === subjects ? "" : ` of ${identities}`;
  const percent = (share: number) => `${(100 * share).toFixed(1).padStart(5)} %`;
  const lines = [
    `${name}  ${known?.[0] ?? "manifest"}  ${subjects}${vocabulary} subjects, ${frames} frames`,
    dataset.description,
    `${[directory, ...labelFiles].join("  ")}  ${digest.slice(0, 12)}${stored ? "  in the object store" : ""}`,
    `licence: ${dataset.license || "unknown"}`,
    ...dataset.actionUnits.map((unit, i) => {
      const unknown = dataset.unknownLabels[i] ?? 0;
      const label = `AU${unit} ${actionUnitName(unit)}`.padEnd(28);
      return `  ${label}${percent(dataset.prevalence[i]!)}${unknown === 0 ? "" : `  ${unknown} unknown`}`;
    }),
    ...dataset.expressions.map((each) => `  ${each.name.padEnd(28)}${percent(each.frames / Math.max(frames, 1))}`),
    ...dataset.folds.map(
      (fold, i) =>
        `  fold ${i + 1}: ${fold.frames} frames, ${fold.subjects.length} subjects: ${fold.subjects.join(" ")}`,
    ),
  ];
  if (dataset.trainFrames + dataset.testFrames > 0) {
    lines.push(`  official parts: ${dataset.trainFrames} training frames, ${dataset.testFrames} test frames`);
  }
  if (dataset.subjectsInBothParts > 0) {
    lines.push(`  ${dataset.subjectsInBothParts} subjects are in both parts: the test part shows nobody new`);
  }
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}
