import type { ExpressionConfig, ImportOptions, LoadReport, MaeConfig, ModelConfig, WeightFile } from "@duchenne/model";

/** What the conversion of a file of weights is asked for. */
export interface ConversionTask {
  /** The file. */
  readonly path: string;
  /** Where the files of the version are written, each named by its role. */
  readonly folder: string;
  readonly options: ImportOptions;
}

/** What a conversion found and wrote. */
export interface Conversion extends Pick<WeightFile, "format" | "epoch" | "trainingArguments"> {
  readonly config: ModelConfig | ExpressionConfig | MaeConfig;
  readonly report: LoadReport;
  /** The files written. */
  readonly roles: readonly string[];
}

/** An error on its way between threads, where classes do not survive. */
export interface ConversionError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly violations?: readonly { readonly field: string; readonly description: string }[] | undefined;
}

/** The worker's only message. */
export type ConversionReply = { readonly result: Conversion } | { readonly error: ConversionError };
