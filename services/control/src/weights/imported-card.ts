import { type ModelCard, UNKNOWN_LICENSE } from "@duchenne/model";
import type { Conversion } from "./conversion.ts";
import { publishedSubjects } from "./published-outputs.ts";
import type { Upload } from "./receive-upload.ts";

/** The crop of the published models: the face finder's box and 5 % of its width and height on each side. */
const PUBLISHED_BOX_CONVENTION = "face-alignment+5%";

/** The card of an imported version: what the file and the caller say, and that nobody here checked it. */
export function importedCard(upload: Upload, conversion: Conversion): ModelCard {
  const { options, sizeBytes, sha256 } = upload;
  const { config, report, format, epoch, trainingArguments } = conversion;
  const what = {
    vit: "Action unit detector",
    "vit-expression": "Expression classifier",
    mae: "Masked autoencoder",
  }[config.kind];
  const actionUnits = config.kind === "vit" ? config.actionUnits : [];
  return {
    model: options.model,
    description: options.displayName || `${what}, ViT-${config.variant}, imported from ${options.fileName}.`,
    config,
    split: { isOfficial: false, trainSubjects: [], validationSubjects: [], testSubjects: [] },
    recipe: {},
    boxConvention: options.boxConvention || PUBLISHED_BOX_CONVENTION,
    thresholds: actionUnits.map((actionUnit) => ({
      actionUnit,
      threshold: 0.5,
      origin: "convention",
      note: "0.5 on the probability, as F1 is reported.",
    })),
    metrics: {},
    licenses: [{ source: options.fileName, digest: sha256, license: options.licenseNote.trim() || UNKNOWN_LICENSE }],
    intendedUse:
      config.kind === "mae"
        ? "To start trainings from."
        : "Faces like those of its training data, which the file does not name.",
    limitations:
      "Imported: its training data, quality and licence are what its source says; nothing was measured here.",
    lineage: {},
    imported: {
      fileName: options.fileName,
      format,
      sha256,
      sizeBytes,
      ...(epoch === undefined ? {} : { epoch }),
      trainingArguments: withoutPaths(trainingArguments),
      subjects: subjectsOf(upload, conversion),
      licenseNote: options.licenseNote,
      report,
    },
  };
}

/** Those that the caller names, else those of the protocol when the identity head has as many outputs. */
function subjectsOf({ options }: Upload, { config }: Conversion): string[] {
  if (options.subjects.length > 0 || config.kind !== "vit") return options.subjects;
  const published = publishedSubjects(options);
  return published.length === config.numSubjects ? [...published] : [];
}

/** Folders of the machine that trained are nobody's business. */
function withoutPaths(values: Conversion["trainingArguments"]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => typeof value !== "string" || !/[/\\]/.test(value)),
  );
}
