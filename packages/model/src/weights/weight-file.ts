import type { ElementType } from "../element-type.ts";
import type { Parameter } from "../parameters.ts";

/** A tensor in a file. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** What an optimizer in a file remembers, by its own numbers. */
export interface StoredOptimizer {
  /** The numbers of each group's parameters, in order. */
  readonly groups: readonly (readonly number[])[];
  /** By a parameter's number; none for a parameter that was never trained. */
  readonly state: ReadonlyMap<number, StoredMoments>;
}

/** Adam's memory of one parameter. */
export interface StoredMoments {
  /** PyTorch before 1.12 writes a number, later ones a tensor without axes. */
  readonly step: number | StoredTensor;
  readonly first: StoredTensor;
  readonly second: StoredTensor;
}

/** A plain value that a training was called with. */
export type TrainingArgument = string | number | boolean;

/** A file of weights, open: what it holds is known, the numbers are read when asked for. */
export interface WeightFile extends AsyncDisposable {
  readonly format: "pth" | "safetensors";
  /** The model's tensors by their names, in the file's order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly optimizer: StoredOptimizer | undefined;
  /** The last epoch that was trained, from 0. */
  readonly epoch: number | undefined;
  /** What the training was called with: numbers, truth values and texts. */
  readonly trainingArguments: Readonly<Record<string, TrainingArgument>>;
  /**
   * Reads one of its tensors, or of its optimizer's, in 32-bit floats.
   *
   * @throws {InvalidPthError} @throws {InvalidSafetensorsError} when the file does not hold it
   */
  read(tensor: StoredTensor): Promise<Parameter>;
}
