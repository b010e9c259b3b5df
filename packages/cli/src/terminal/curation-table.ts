import { z } from "zod";

/** What a curation job answers. */
export const curationResultSchema = z.object({
  dataset: z.string(),
  sources: z.number(),
  videos: z.number(),
  kept: z.number(),
  asTheyWere: z.number(),
  leftOut: z.record(z.string(), z.number()),
  report: z.string(),
});

/** What a curation came to, as a table: what was kept, and what was left out by reason. */
export function curationTable(result: z.output<typeof curationResultSchema>): string[] {
  const { sources, videos, kept, asTheyWere, leftOut, report } = result;
  const rows: readonly (readonly [string, number])[] = [
    ["files", sources],
    ["  of them videos", videos],
    ["images kept", kept],
    ["  as they were", asTheyWere],
    ["left out", Object.values(leftOut).reduce((sum, count) => sum + count, 0)],
    ...Object.entries(leftOut).map(([reason, count]) => [`  ${reason.replaceAll("_", " ")}`, count] as const),
  ];
  const [name, digits] = [0, 1].map((column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return [...rows.map(([label, count]) => `${label.padEnd(name!)}  ${String(count).padStart(digits!)}`), report];
}
