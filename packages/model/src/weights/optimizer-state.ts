import type { StoredMoments, WeightFile } from "./weight-file.ts";

/** What AdamW remembers, by the parameters' names. The optimizer of packages/tensor restores it as it is. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  readonly firstMoments: ReadonlyMap<string, Float32Array>;
  readonly secondMoments: ReadonlyMap<string, Float32Array>;
}

/**
 * Reads Adam's moments from a checkpoint. It numbers parameters by the optimizer's groups, not by the model, so the
 * groups must be made again first.
 *
 * @param groups the names in the file, by group, in the optimizer's order
 * @param nameOf the parameter that a name in the file stands for; undefined: it is left out
 * @returns the state, or a sentence that says why there is none
 */
export async function readOptimizerState(
  file: WeightFile,
  groups: readonly (readonly string[])[],
  nameOf: (name: string) => string | undefined,
): Promise<OptimizerState | string> {
  const { optimizer } = file;
  if (optimizer === undefined) return "The file holds no optimizer state of Adam's.";
  const sizes = (all: readonly (readonly unknown[])[]) => all.map(({ length }) => length).join(", ");
  if (sizes(groups) !== sizes(optimizer.groups)) {
    return `The optimizer state was left out: expected groups of ${sizes(groups)} parameters, got ${sizes(optimizer.groups)}.`;
  }
  const firstMoments = new Map<string, Float32Array>();
  const secondMoments = new Map<string, Float32Array>();
  let step: number | undefined;
  for (const [g, names] of groups.entries()) {
    for (const [i, inFile] of names.entries()) {
      const name = nameOf(inFile);
      if (name === undefined) continue;
      const moments = optimizer.state.get(optimizer.groups[g]![i]!);
      if (moments === undefined) return `The optimizer state was left out: it has none for "${inFile}".`;
      const shape = file.tensors.get(inFile)!.shape;
      for (const each of [moments.first, moments.second]) {
        if (each.shape.join() !== shape.join()) {
          return `The optimizer state was left out: expected moments of "${inFile}" [${shape.join(", ")}], got [${each.shape.join(", ")}].`;
        }
      }
      const taken = await stepOf(file, moments);
      step ??= taken;
      if (taken !== step) return `The optimizer state was left out: its parameters took ${step} and ${taken} steps.`;
      firstMoments.set(name, (await file.read(moments.first)).data);
      secondMoments.set(name, (await file.read(moments.second)).data);
    }
  }
  return { step: step ?? 0, firstMoments, secondMoments };
}

async function stepOf(file: WeightFile, { step }: StoredMoments): Promise<number> {
  return typeof step === "number" ? step : ((await file.read(step)).data[0] ?? Number.NaN);
}
