import type { Parameter } from "../parameters.ts";
import { interpolatePositions } from "./interpolate-positions.ts";
import type { LoadReport } from "./load-report.ts";

/**
 * Interpolates the tables of position embeddings that are of another grid than the model's, in place, and reports them.
 *
 * @param shapes of the model's parameters: the tables [1, grid * grid + 1, D]
 */
export function fitPositions(
  parameters: Map<string, Parameter>,
  shapes: ReadonlyMap<string, readonly number[]>,
  report: LoadReport,
): void {
  for (const name of ["pos_embed", "decoder_pos_embed"]) {
    const table = parameters.get(name);
    const to = shapes.get(name);
    if (table === undefined || to === undefined || table.shape[1] === to[1]) continue;
    const [fromGrid, toGrid] = [table.shape[1]!, to[1]!].map((rows) => Math.sqrt(rows - 1)) as [number, number];
    parameters.set(name, { shape: to, data: interpolatePositions(table.data, fromGrid, toGrid) });
    report.reshaped.push({ name, from: [...table.shape], to: [...to] });
  }
}
