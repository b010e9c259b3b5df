import { IdentityLoss, Keep, Precision, Preset, ProbeBackbone, Shuffle, UnknownLabels } from "@duchenne/proto";
import { type Command, Option } from "commander";

/** An option of the command line that sets a field of a training's message. */
export interface TrainingOption {
  /** As commander takes it. */
  readonly flags: string;
  readonly text: string;
  /** The field, such as "optimization.epochs". */
  readonly field: string;
  /** Turns the text of the command line into the field's value; default: the text. */
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
}

const number = (flag: string, field: string, text: string): TrainingOption => ({
  flags: `--${flag} <n>`,
  field,
  text,
  parse: Number,
});

const text = (flags: string, field: string, description: string): TrainingOption => ({
  flags,
  field,
  text: description,
});

/** @param values the field's value for each choice */
function choice<V>(
  flag: string,
  field: string,
  description: string,
  values: Readonly<Record<string, V>>,
): TrainingOption {
  return {
    flags: `--${flag} <name>`,
    field,
    text: description,
    choices: Object.keys(values),
    parse: (name) => values[name],
  };
}

/** The data set. */
export const DATASET = { flags: "--dataset <name>", field: "dataset", text: 'such as "datasets/faces"' };
/** The model. */
export const MODEL = {
  flags: "--model <name>",
  field: "model",
  text: 'the model that gets a version, such as "models/demo"',
};

/** Where defaults come from. */
export const PRESET = [
  choice("preset", "preset", "the recipe's defaults: as published, or with better practice (default: recommended)", {
    paper: Preset.PAPER,
    recommended: Preset.RECOMMENDED,
  }),
];

/** The encoder. */
export const ENCODER = [
  text("--variant <name>", "encoder.variant", "micro, tiny, small, base, large or huge (default: large, as published)"),
  text(
    "--from <version>",
    "encoder.initialModelVersion",
    "the version or alias to start from (default: drawn weights)",
  ),
  number("image-size", "encoder.imageSize", "side of the input, in pixels"),
  number("patch-size", "encoder.patchSize", "side of a patch, in pixels"),
  number("drop-path", "encoder.dropPath", "stochastic depth of the last block"),
];

/** What is held out. */
export const SPLIT = [
  number("fold", "split.fold", "the fold to test on, from 1"),
  number("folds", "split.folds", "draw so many folds instead of the data set's own"),
  { flags: "--fold-seed <n>", field: "split.foldSeed", text: "seed of that draw (default: --seed)", parse: BigInt },
  number("test-fraction", "split.testFraction", "share of the subjects that is held out for the test"),
  number(
    "validation-fraction",
    "split.validationFraction",
    "share of the rest held out for validation; 0: the test part",
  ),
];

/** How images are changed. */
export const AUGMENTATION = [
  choice("augmentation", "augmentation", "the changes that training images undergo", {
    none: "none",
    flip: "flip",
    paper: "paper",
  }),
];

/** How weights are updated. */
export const OPTIMIZATION = [
  number("epochs", "optimization.epochs", "passes over the training part"),
  number("warmup-epochs", "optimization.warmupEpochs", "passes of linear warm-up"),
  number("batch-size", "optimization.batchSize", "images a pass"),
  number("accumulation-steps", "optimization.accumulationSteps", "passes a step"),
  number("base-learning-rate", "optimization.baseLearningRate", "learning rate per 256 images"),
  number("min-learning-rate", "optimization.minLearningRate", "the floor of the cosine schedule"),
  number("layer-decay", "optimization.layerDecay", "learning rate factor from one layer to the one below it"),
  number("weight-decay", "optimization.weightDecay", "decoupled weight decay"),
  number("clip-gradient-norm", "optimization.clipGradientNorm", "largest joint norm of the gradients; 0: any"),
  number("ema-decay", "optimization.emaDecay", "decay of a moving average of the weights; 0: none"),
  choice("shuffle", "optimization.shuffle", "another order each epoch, one for all, or the data set's", {
    "per-epoch": Shuffle.PER_EPOCH,
    once: Shuffle.ONCE,
    off: Shuffle.OFF,
  }),
  choice("keep", "optimization.keep", "publish the best epoch's weights or the last", {
    best: Keep.BEST,
    last: Keep.LAST,
  }),
  number("patience", "optimization.patience", "stop after so many epochs without a better figure; 0: never"),
  { flags: "--seed <n>", field: "optimization.seed", text: "seed of everything random", parse: BigInt },
  number("checkpoint-every-steps", "optimization.checkpointEverySteps", "steps between checkpoints; 0: each epoch"),
  number("metrics-every-steps", "optimization.metricsEverySteps", "steps between metrics"),
  number(
    "gradient-norms-every-steps",
    "optimization.gradientNormsEverySteps",
    "steps between the norms of both losses' gradients; 0: never",
  ),
  choice("precision", "optimization.precision", "what matrix products are computed in (default: float32)", {
    float32: Precision.FLOAT32,
    bfloat16: Precision.BFLOAT16,
  }),
];

/** Identity adversarial training and labels. */
export const ADVERSARY = [
  number("lambda", "lambda", "strength of the gradient reversal; 0: no identity head"),
  choice("identity-loss", "identityLoss", "bce as published, or ce", { bce: IdentityLoss.BCE, ce: IdentityLoss.CE }),
  number("identity-layers", "identityLayers", "linear layers of the identity head, 1 to 3"),
  choice("unknown-labels", "unknownLabels", "leave unknown labels out, or take them as absent as published", {
    masked: UnknownLabels.MASKED,
    negative: UnknownLabels.NEGATIVE,
  }),
];

/** The probe. */
export const PROBE = [
  choice("backbone", "backbone", "features computed once, or with stochastic depth and augmentation as published", {
    frozen: ProbeBackbone.FROZEN,
    "train-mode": ProbeBackbone.TRAIN_MODE,
  }),
  number("layers", "layers", "linear layers of the probe, 1 to 3"),
  number("test-fraction", "testFraction", "share of each subject's frames that is held out"),
  number("frames-per-subject", "framesPerSubject", "frames of each subject that are used"),
];

/** What a masked autoencoder reconstructs. */
export const MASKING = [
  number("mask-ratio", "maskRatio", "share of the patches that are hidden"),
  { flags: "--raw-pixels", field: "normPixLoss", text: "do not standardise each target patch", parse: () => false },
];

/** What a student learns from. */
export const DISTILLATION = [
  number("temperature", "temperature", "divides the logits of both before they are compared"),
  number("logits-weight", "logitsWeight", "weight of the loss between answers"),
  number("features-weight", "featuresWeight", "weight of the loss between features"),
  number("labels-weight", "labelsWeight", "weight of the loss against the labels"),
];

/** Adds options to a command. */
export function addOptions(command: Command, options: readonly TrainingOption[]): Command {
  for (const { flags, text: description, choices } of options) {
    const option = new Option(flags, description);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
  return command;
}

/** The message's fields that the command line set. */
export function fieldsFrom(command: Command, options: readonly TrainingOption[]): Record<string, unknown> {
  const given: Record<string, unknown> = command.opts();
  const fields: Record<string, unknown> = {};
  for (const { flags, field, parse = (value: string) => value } of options) {
    const value = given[new Option(flags).attributeName()];
    if (value === undefined) continue;
    const [parent, child] = field.split(".") as [string, string | undefined];
    if (child === undefined) fields[parent] = parse(String(value));
    else fields[parent] = { ...(fields[parent] as object | undefined), [child]: parse(String(value)) };
  }
  return fields;
}
