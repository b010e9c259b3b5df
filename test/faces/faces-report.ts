import { actionUnitName } from "@duchenne/data";
import type { AuModel } from "@duchenne/vision";
import { boxSensitivity } from "./box-sensitivity.ts";
import { confusionReport } from "./confusion-report.ts";
import { labelledPhotographs, readPackaged } from "./photographs.ts";

/** All of docs/faces.md. */
export async function facesReport(model: AuModel): Promise<string> {
  return `${await confusionReport(model)}
${await boxReport(model)}`;
}

async function boxReport(model: AuModel): Promise<string> {
  const { photographs } = await labelledPhotographs();
  const images = await Promise.all(photographs.map(({ path }) => readPackaged(path)));
  const sensitivity = await boxSensitivity(model, images);
  const rows = sensitivity.map(
    ({ actionUnit, mean, largest, changedDecisions, decisions }) =>
      `| AU${actionUnit} ${actionUnitName(actionUnit)} | ${mean.toFixed(2)} | ${largest.toFixed(2)} | ${(changedDecisions / decisions).toFixed(2)} |`,
  );
  return `## How much the box matters

The box of each face (\`face_box\`) moved to every side and scaled down and up by 10 %, one at a time and all at once (14 boxes a
face), against the finder's own box: how far the activation moves, and which share of the decisions turns. A given box is taken
as it is and upright; a face that the server looks for itself is turned level first, and followed by its landmarks in a stream.

| Action unit | Mean change | Largest change | Share of decisions that turn |
|---|---:|---:|---:|
${rows.join("\n")}
`;
}
