import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DATASET_FORMATS, type Dataset, type DatasetSource, datasetSourceSchema, PROTOCOLS } from "@duchenne/data";
import { DatasetProtocol, type DatasetSchema } from "@duchenne/proto";
import type { DatasetRecord, JsonObject } from "@duchenne/store";
import { z } from "zod";
import { datasetName } from "./resource-name.ts";

const datasetDescriptionSchema = z.object({
  /** How the folder is read again. */
  source: datasetSourceSchema.prefault({}),
  digest: z.string(),
  protocol: z.enum(PROTOCOLS).optional(),
  actionUnits: z.array(z.int()),
  /** Subjects with frames. */
  subjects: z.int(),
  frames: z.int(),
  prevalence: z.array(z.number()),
  unknownLabels: z.array(z.int()).default([]),
  expressions: z.array(z.object({ name: z.string(), frames: z.int() })).default([]),
  folds: z.array(z.object({ subjects: z.array(z.string()), frames: z.int() })).default([]),
  trainFrames: z.int().default(0),
  testFrames: z.int().default(0),
  /** Not counted by earlier releases. */
  subjectsInBothParts: z.int().default(0),
  /** Subjects of the vocabulary. */
  identities: z.int().default(0),
  description: z.string(),
  boxConvention: z.string(),
  /** Absent when nobody stated one. */
  license: z.string().optional(),
});
/** What the store keeps of a data set beside its folder. */
export type DatasetDescription = z.output<typeof datasetDescriptionSchema>;

/** Summarises an opened data set for the store. */
export function describeDataset(
  dataset: Dataset,
  {
    source = { format: "manifest", labelFiles: [] },
    description = dataset.description,
    license = dataset.license,
  }: { readonly source?: DatasetSource; readonly description?: string; readonly license?: string | undefined } = {},
): JsonObject & DatasetDescription {
  const { actionUnits, samples, subjects, protocol } = dataset;
  const labels = actionUnits.map((_, unit) => {
    const counts = { "-1": 0, 0: 0, 1: 0 };
    for (const { occurrence } of samples) counts[occurrence[unit] as -1 | 0 | 1]++;
    return { unknown: counts[-1], known: counts[0] + counts[1], occurring: counts[1] };
  });
  const framesOf = new Map<string, number>();
  for (const { subject } of samples) if (subject !== "") framesOf.set(subject, (framesOf.get(subject) ?? 0) + 1);
  const subjectsOfPart = (part: string) =>
    new Set(samples.flatMap(({ partition, subject }) => (partition === part && subject !== "" ? subject : [])));
  const tested = subjectsOfPart("test");
  const framesOfPart = (part: string) => samples.filter(({ partition }) => partition === part).length;
  return {
    source: { ...source, labelFiles: [...source.labelFiles] },
    digest: dataset.digest,
    ...(protocol === undefined ? {} : { protocol }),
    actionUnits: [...actionUnits],
    subjects: framesOf.size,
    frames: samples.length,
    prevalence: labels.map(({ known, occurring }) => (known === 0 ? 0 : occurring / known)),
    unknownLabels: labels.map(({ unknown }) => unknown),
    expressions: (dataset.expressions ?? []).map((name, index) => ({
      name,
      frames: samples.filter(({ expression }) => expression === index).length,
    })),
    folds: (dataset.folds ?? []).map((fold) => ({
      subjects: [...fold],
      frames: fold.reduce((sum, subject) => sum + (framesOf.get(subject) ?? 0), 0),
    })),
    trainFrames: framesOfPart("train"),
    testFrames: framesOfPart("test"),
    subjectsInBothParts: [...subjectsOfPart("train")].filter((subject) => tested.has(subject)).length,
    identities: subjects.length,
    description,
    boxConvention: dataset.boxConvention,
    ...(license === undefined ? {} : { license }),
  };
}

/** What the store keeps of a data set, checked. */
export function datasetDescription(dataset: DatasetRecord): DatasetDescription {
  return datasetDescriptionSchema.parse(dataset.description);
}

const PROTOCOL_OF_FORMAT = {
  manifest: DatasetProtocol.UNSPECIFIED,
  images: DatasetProtocol.IMAGES,
  bp4d: DatasetProtocol.BP4D,
  "bp4d+": DatasetProtocol.BP4D_PLUS,
  disfa: DatasetProtocol.DISFA,
  "raf-db": DatasetProtocol.RAF_DB,
  "affectnet-8": DatasetProtocol.AFFECTNET_8,
} as const satisfies Record<DatasetSource["format"], DatasetProtocol>;

/** How a folder of this protocol is read. */
export function datasetFormat(protocol: DatasetProtocol): DatasetSource["format"] {
  return DATASET_FORMATS.find((format) => PROTOCOL_OF_FORMAT[format] === protocol) ?? "manifest";
}

/** A data set as its callers see it. */
export function datasetMessage(dataset: DatasetRecord): MessageInitShape<typeof DatasetSchema> {
  const {
    boxConvention: _,
    source,
    protocol = source.format,
    license = "",
    ...description
  } = datasetDescription(dataset);
  return {
    ...description,
    license,
    protocol: PROTOCOL_OF_FORMAT[protocol],
    labelFiles: [...source.labelFiles],
    name: datasetName(dataset.id),
    directory: dataset.directory,
    stored: dataset.files !== undefined,
    managed: dataset.managed,
    createTime: timestampFromMs(dataset.createTimeMs),
  };
}
