import { actionUnitName } from "@duchenne/data";
import type { AuModel, DetectedFace } from "@duchenne/vision";
import { labelledPhotographs, readPackaged } from "./photographs.ts";

/** The whole-face score of an action unit. */
export function scoreOf(face: DetectedFace | undefined, actionUnit: number): number | undefined {
  return face?.scores.find((each) => each.actionUnit === actionUnit && each.side === undefined)?.score;
}

/** Scores every labelled photograph and writes what was right and wrong, as Markdown. */
export async function confusionReport(model: AuModel): Promise<string> {
  const { note, actionUnits, photographs } = await labelledPhotographs();
  const { actionUnits: described } = model.describe();
  const thresholds = new Map(described.map(({ actionUnit, threshold }) => [actionUnit, threshold]));
  const counts = new Map(actionUnits.map((unit) => [unit, { tp: 0, fp: 0, fn: 0, tn: 0, unknown: 0 }]));
  const rows: string[] = [];
  let found = 0;
  for (const { path, labels } of photographs) {
    const { faces } = await model.run({ image: await readPackaged(path), maxFaces: 1 });
    if (faces.length > 0) found++;
    const cells = actionUnits.map((unit) => {
      const label = labels.get(unit)!;
      const score = scoreOf(faces[0], unit);
      const count = counts.get(unit)!;
      if (score === undefined) return "no face";
      const present = score >= thresholds.get(unit)!;
      if (label === null) count.unknown++;
      else if (label === 1) count[present ? "tp" : "fn"]++;
      else count[present ? "fp" : "tn"]++;
      const verdict = label === null ? "" : present === (label === 1) ? "" : " **wrong**";
      return `${score.toFixed(2)} ${present ? "●" : "○"} (${label ?? "?"})${verdict}`;
    });
    rows.push(`| ${path.split("/").at(-1)} | ${cells.join(" | ")} |`);
  }
  const table = [...counts].map(([unit, { tp, fp, fn, tn, unknown }]) => {
    return `| AU${unit} ${actionUnitName(unit)} | ${tp} | ${fn} | ${fp} | ${tn} | ${unknown} |`;
  });
  return `# The built-in model on real photographs

Written by \`node test/faces/write-report.ts\`. The faces of two npm packages (\`material-kit\` 2.0.4 and
\`@themesberg/volt-bootstrap-5-dashboard\` 1.4.1), scored by \`blendshape-au\` against labels in \`test/faces/labels.json\`.
${note} Thresholds (${[...new Set(thresholds.values())].join(", ")}) were committed before the labels, and the labels before the first scoring.

${found} of ${photographs.length} faces were found. ${photographs.length} photographs are an illustration, not a validation.

| Action unit | Present, found | Present, missed | Absent, wrongly found | Absent, left out | Not labelled |
|---|---:|---:|---:|---:|---:|
${table.join("\n")}

Each cell: activation, decision (● present, ○ absent), label.

| Photograph | ${actionUnits.map((unit) => `AU${unit}`).join(" | ")} |
|---|${actionUnits.map(() => "---").join("|")}|
${rows.join("\n")}
`;
}
