// What the face chain makes of SynthFACS: node test/faces/report-synthfacs.ts [seed] [subjects] [frames]
import { actionUnitName } from "@duchenne/data";
import { createVisionEngine } from "@duchenne/vision";
import { blendshapeAgreement, foundShare } from "./synthfacs-faces.ts";

const [seed = 1, subjects = 10, frames = 20] = process.argv.slice(2).map(Number);
const engine = createVisionEngine({ workers: 1 });
const model = await engine.load({ kind: "blendshape-au" });
const share = await foundShare(model, seed, subjects, frames);
console.log(`Faces found in ${(100 * share).toFixed(1)} % of ${subjects * frames} frames of ${subjects} subjects.`);
for (const { actionUnit } of model.describe().actionUnits) {
  const { withinSubjects, pooled, atRest, atMost } = await blendshapeAgreement(model, actionUnit, { seed, subjects });
  const name = `AU${actionUnit} ${actionUnitName(actionUnit)}`.padEnd(26);
  const scores = `${atRest.toFixed(2)} -> ${atMost.toFixed(2)}`;
  console.log(`${name} r ${withinSubjects.toFixed(2)} within subjects, ${pooled.toFixed(2)} pooled  ${scores}`);
}
await engine.close();
