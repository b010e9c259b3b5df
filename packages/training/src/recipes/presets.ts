import type { Protocol } from "@duchenne/data";
import { z } from "zod";
import type { Optimization } from "./optimization.ts";

/** Where the defaults of a recipe come from: as published, or with what is better practice. */
export const presetSchema = z.enum(["paper", "recommended"]);
/** Where the defaults of a recipe come from. */
export type Preset = z.output<typeof presetSchema>;

type Lengths = Pick<Optimization, "baseLearningRate" | "epochs" | "warmupEpochs">;

const SHORT: Lengths = { baseLearningRate: 5e-4, epochs: 20, warmupEpochs: 2 };
const LONG: Lengths = { baseLearningRate: 5e-4, epochs: 30, warmupEpochs: 3 };

/** The published action unit fine-tunes by data set: lambda, and the lengths without and with it (1.11 of the specification). */
const FINE_TUNES: Partial<
  Record<Protocol, { readonly lambda: number; readonly plain: Lengths; readonly adversarial: Lengths }>
> = {
  bp4d: { lambda: 2, plain: { ...SHORT, baseLearningRate: 2e-4 }, adversarial: LONG },
  "bp4d+": { lambda: 1, plain: SHORT, adversarial: LONG },
  disfa: { lambda: 0.5, plain: SHORT, adversarial: SHORT },
};

/** The published fine-tune of a data set, or for another one what the reference's command line defaults to. */
export function publishedFineTune(
  protocol: Protocol | undefined,
  lambda: number | undefined,
): { readonly lambda: number; readonly optimization: Lengths } {
  const {
    lambda: own,
    plain,
    adversarial,
  } = (protocol && FINE_TUNES[protocol]) ?? {
    lambda: 1,
    plain: SHORT,
    adversarial: LONG,
  };
  const inForce = lambda ?? own;
  return { lambda: inForce, optimization: inForce === 0 ? plain : adversarial };
}

/** The published expression fine-tune of a data set (1.15 of the specification), or that of AffectNet for another one. */
export function publishedExpression(protocol: Protocol | undefined): Lengths & Pick<Optimization, "batchSize"> {
  return protocol === "raf-db"
    ? { baseLearningRate: 1e-3, epochs: 60, warmupEpochs: 6, batchSize: 32 }
    : { baseLearningRate: 5e-4, epochs: 30, warmupEpochs: 3, batchSize: 64 };
}
