import {
  type EncoderShape,
  expressionConfigSchema,
  modelConfigSchema,
  parameterShapes,
  type VitConfig,
} from "../config.ts";
import { isFloatType } from "../element-type.ts";
import { type MaeConfig, maeParameterShapes } from "../mae-config.ts";
import { decayGroups, layerGroups } from "../parameter-groups.ts";
import { initialiseMaeParameters, type Parameter, ParameterMismatchError } from "../parameters.ts";
import { fitPositions } from "./fit-positions.ts";
import { checkHeadless, type HeadOptions, headMeaning } from "./head-options.ts";
import { ImportOptionsError, UnsupportedWeightsError } from "./import-error.ts";
import { createLoadReport, type LoadReport } from "./load-report.ts";
import { type OptimizerState, readOptimizerState } from "./optimizer-state.ts";
import { type LayoutOptions, maeConfigFrom, type PublishedLayout, recogniseLayout } from "./published-layout.ts";
import type { WeightFile } from "./weight-file.ts";

/** What a file of weights does not say. */
export interface ImportOptions extends HeadOptions, LayoutOptions {
  /** Side of the input in pixels: position embeddings are interpolated to it. Default: the file's own. */
  readonly imageSize?: number | undefined;
  /** Also reads what a training's optimizer remembers. */
  readonly optimizer?: boolean | undefined;
}

/** A model from a file. */
export interface ImportedWeights {
  readonly config: VitConfig | MaeConfig;
  readonly parameters: Map<string, Parameter>;
  readonly report: LoadReport;
  /** Present when it was asked for and the file holds it; the report's notes say why when it does not. */
  readonly optimizer?: OptimizerState;
}

/** Stochastic depth of all published recipes. */
const PUBLISHED_DROP_PATH = 0.1;
/** A masked autoencoder's encoder goes without these. */
const DECODER = /^(decoder_|mask_token$)/;
/** Names in one error message. */
const NAMES_TOLD = 8;

/**
 * Makes a model of a file: names and shapes say which kind and size it is, the caller what its outputs mean. What is
 * missing of a detector, a classifier or an encoder is an error; an encoder alone becomes a masked autoencoder with a new
 * decoder.
 *
 * @throws {ImportOptionsError} when the options do not fit the file
 * @throws {UnsupportedWeightsError} when the file is of no model that is known here, or holds numbers that are not finite
 * @throws {ParameterMismatchError} naming parameters that are missing or of another shape
 * @throws {InvalidPthError} @throws {InvalidSafetensorsError} when the file is damaged
 */
export async function importWeights(file: WeightFile, options: ImportOptions = {}): Promise<ImportedWeights> {
  const layout = recogniseLayout(file.tensors, options);
  const config = configFrom(file, layout, options);
  const shapes = shapesOf(config);
  const nameInFile = (name: string): string => layout.renamed.get(name) ?? name;
  const report = createLoadReport();
  report.missing.push(...missingParameters(file, config, shapes, nameInFile));
  const isMissing = new Set(report.missing);
  if (isMissing.size > 0) report.notes.push("The file holds the encoder alone: the decoder is new and untrained.");
  const nameOf = new Map([...shapes.keys()].map((name) => [nameInFile(name), name]));
  for (const name of file.tensors.keys()) {
    const reason = layout.unused.get(name);
    if (reason !== undefined) report.ignored.push({ name, reason });
    else if (!nameOf.has(name)) report.unexpected.push(name);
  }

  const drawn =
    config.kind === "mae"
      ? initialiseMaeParameters(config, 0, (name) => isMissing.has(name))
      : new Map<string, never>();
  // In the model's order, whichever the file's.
  const parameters = new Map<string, Parameter>();
  for (const [name, shape] of shapes) {
    parameters.set(name, drawn.get(name) ?? (await readParameter(file, nameInFile(name), shape)));
  }
  const fitted = fitToImage(config, parameters, options.imageSize, report);
  const optimizer = options.optimizer === true ? await optimizerOf(file, config, nameOf, report) : undefined;
  return { config: fitted, parameters, report, ...(optimizer === undefined ? {} : { optimizer }) };
}

function shapesOf(config: VitConfig | MaeConfig): ReadonlyMap<string, readonly number[]> {
  return config.kind === "mae" ? maeParameterShapes(config) : parameterShapes(config);
}

function configFrom(file: WeightFile, { kind, encoder, renamed }: PublishedLayout, options: ImportOptions) {
  if (kind === "mae") {
    checkHeadless(options);
    return maeConfigFrom(file.tensors, encoder, options);
  }
  const rows = (name: string) => file.tensors.get(name)?.shape[0] ?? 0;
  const identityHeads = [...file.tensors.keys()].filter((name) => /^ID_head(\.\d+)?\.weight$/.test(name));
  const meaning = headMeaning(
    options,
    rows(renamed.get("head.weight") ?? "head.weight"),
    rows(identityHeads.at(-1) ?? ""),
  );
  const shape = { ...encoder, dropPath: dropPathOf(file) };
  if (meaning.kind === "vit-expression") return checkedConfig(expressionConfigSchema, { ...meaning, ...shape });
  const identity = { numSubjects: rows(identityHeads.at(-1) ?? ""), identityLayers: identityHeads.length || 1 };
  return checkedConfig(modelConfigSchema, { ...meaning, ...shape, ...identity });
}

function checkedConfig<C>(schema: { parse(value: unknown): C }, value: object): C {
  try {
    return schema.parse(value);
  } catch (error) {
    throw new UnsupportedWeightsError(`Expected a vision transformer of a known form: ${String(error)}`);
  }
}

function dropPathOf({ trainingArguments }: WeightFile): number {
  const rate = trainingArguments.drop_path;
  return typeof rate === "number" && rate >= 0 && rate < 1 ? rate : PUBLISHED_DROP_PATH;
}

function missingParameters(
  { tensors }: WeightFile,
  { kind }: VitConfig | MaeConfig,
  shapes: ReadonlyMap<string, unknown>,
  nameInFile: (name: string) => string,
): string[] {
  const missing = [...shapes.keys()].filter((name) => !tensors.has(nameInFile(name)));
  const isEncoder = kind === "mae" && ![...tensors.keys()].some((name) => DECODER.test(name));
  const fatal = missing.filter((name) => !isEncoder || !DECODER.test(name));
  if (fatal.length === 0) return missing;
  const told = fatal.slice(0, NAMES_TOLD).map((name) => `"${name}"`);
  const more = fatal.length > NAMES_TOLD ? ` and ${fatal.length - NAMES_TOLD} more` : "";
  throw new ParameterMismatchError(`Expected the parameters ${told.join(", ")}${more}, found none`);
}

async function readParameter(file: WeightFile, name: string, shape: readonly number[]): Promise<Parameter> {
  const tensor = file.tensors.get(name)!;
  if (tensor.shape.join() !== shape.join()) {
    throw new ParameterMismatchError(`Expected "${name}" [${shape.join(", ")}], got [${tensor.shape.join(", ")}]`);
  }
  if (!isFloatType(tensor.type)) throw new ParameterMismatchError(`Expected "${name}" in floats, got ${tensor.type}`);
  const parameter = await file.read(tensor);
  const odd = parameter.data.find((value) => !Number.isFinite(value));
  if (odd === undefined) return parameter;
  throw new UnsupportedWeightsError(`Expected finite numbers in "${name}", got ${odd}`);
}

/** Brings the position embeddings to another input size, when one is wanted. */
function fitToImage<C extends VitConfig | MaeConfig>(
  config: C,
  parameters: Map<string, Parameter>,
  imageSize: number | undefined,
  report: LoadReport,
): C {
  if (imageSize === undefined || imageSize === config.imageSize) return config;
  if (!Number.isInteger(imageSize) || imageSize < 1 || imageSize % config.patchSize !== 0) {
    const description = `Expected whole patches of ${config.patchSize} pixels, got ${imageSize} pixels`;
    throw new ImportOptionsError([{ field: "imageSize", description }]);
  }
  const fitted = { ...config, imageSize };
  fitPositions(parameters, shapesOf(fitted), report);
  return fitted;
}

async function optimizerOf(
  file: WeightFile,
  config: EncoderShape & { readonly kind: string },
  nameOf: ReadonlyMap<string, string>,
  report: LoadReport,
): Promise<OptimizerState | undefined> {
  const shapes = [...file.tensors].map(([name, { shape }]) => [name, shape] as const);
  const groups =
    config.kind === "mae" ? decayGroups(shapes) : layerGroups(shapes, config.depth).map(({ names }) => names);
  const state =
    report.reshaped.length > 0
      ? "The optimizer state was left out: it is of other position embeddings."
      : await readOptimizerState(file, groups, (name) => nameOf.get(name));
  if (typeof state !== "string") return state;
  report.notes.push(state);
  return undefined;
}
