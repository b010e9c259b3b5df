/** The conventions of a data set with one expression an image. */
export interface ExpressionProtocol {
  readonly description: string;
  /** Classes in index order. */
  readonly expressions: readonly string[];
  /** The number that the data set gives its first class. */
  readonly firstNumber: number;
}

/** RAF-DB (Li, Deng and Du 2017), basic expressions: numbered 1 to 7. */
const RAF_DB: ExpressionProtocol = {
  description: "RAF-DB: 7 basic expressions, official training and test part",
  expressions: ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"],
  firstNumber: 1,
};

/** AffectNet (Mollahosseini, Hasani and Mahoor 2017) with contempt: numbered 0 to 7. */
const AFFECTNET_8: ExpressionProtocol = {
  description: "AffectNet: 8 expressions, official training and validation part; tested on the latter",
  expressions: ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"],
  firstNumber: 0,
};

/** The data sets with expression labels. */
export const EXPRESSION_PROTOCOLS = { "raf-db": RAF_DB, "affectnet-8": AFFECTNET_8 } as const;
/** A data set with expression labels. */
export type ExpressionProtocolName = keyof typeof EXPRESSION_PROTOCOLS;

const SYNONYMS: Readonly<Record<string, string>> = {
  happy: "happiness",
  sad: "sadness",
  angry: "anger",
  surprised: "surprise",
  fearful: "fear",
  disgusted: "disgust",
};

/**
 * The index of a class by its number in the data set or its name ("4", "happiness", "Happy"). Indices follow the numbers,
 * so they do not depend on how somebody named the folders.
 */
export function expressionIndex({ expressions, firstNumber }: ExpressionProtocol, label: string): number | undefined {
  const name = label.toLowerCase();
  const index = /^\d+$/.test(label) ? Number(label) - firstNumber : expressions.indexOf(SYNONYMS[name] ?? name);
  return index >= 0 && index < expressions.length ? index : undefined;
}
