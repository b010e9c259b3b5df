// What the face chain makes of warped portraits: node test/faces/report-photos.ts
import { actionUnitName } from "@duchenne/data";
import { createVisionEngine } from "@duchenne/vision";
import { packagedPortraits, scoresOf } from "./photo-faces.ts";
import { pearson } from "./synthfacs-faces.ts";

const engine = createVisionEngine({ workers: 1 });
const model = await engine.load({ kind: "blendshape-au" });
const portraits = await packagedPortraits(model);
console.log(`${portraits.length} portraits: ${portraits.map(({ file }) => file).join(", ")}`);
for (const { actionUnit } of model.describe().actionUnits) {
  const rows: (readonly number[])[] = [];
  for (const portrait of portraits) rows.push(await scoresOf(model, portrait, actionUnit));
  const correlations = rows.map((scores) => pearson(scores.map((score, intensity) => ({ intensity, score }))));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const name = `AU${actionUnit} ${actionUnitName(actionUnit)}`.padEnd(26);
  const ends = [0, 5].map((intensity) => mean(rows.map((scores) => scores[intensity]!)).toFixed(2));
  const each = correlations.map((r) => r.toFixed(2)).join(" ");
  console.log(`${name} r ${mean(correlations).toFixed(2)} (${each})  ${ends.join(" -> ")}`);
}
await engine.close();
