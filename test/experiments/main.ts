// `npm run experiments`: the paper's claim in miniature, and what pretraining is worth, on SynthFACS. Prints progress on
// stderr and the tables on stdout; `--output FOLDER` keeps tables, figures and the curves. `--rehearse` runs the adversary
// alone, on one fold of other people: settings are chosen there.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadTensorFlow } from "@duchenne/tensor";
import { openFaces, renderFaces } from "./faces.ts";
import { measureFewLabels } from "./few-labels.ts";
import { measureAdversary } from "./identity-adversary.ts";
import { plotCurves } from "./plot-curves.ts";
import { pretrainEncoder } from "./pretrain-encoder.ts";
import { SETTINGS } from "./settings.ts";
import { openSideBySide } from "./side-by-side.ts";
import { reportToMarkdown } from "./write-report.ts";

const { values } = parseArgs({
  options: { output: { type: "string" }, rehearse: { type: "boolean", default: false } },
});
const { unlabelled, labelled } = SETTINGS;
const seeds = values.rehearse ? SETTINGS.seeds.slice(0, 1) : SETTINGS.seeds;
const people = values.rehearse ? SETTINGS.rehearsal : { unlabelled: unlabelled.seed, labelled: labelled.seed };
const folder = await mkdtemp(join(tmpdir(), "duchenne-experiments-"));
try {
  const [pretrained, pretraining] = await timed(async () => {
    const rendered = await renderFaces(folder, "unlabelled", { ...unlabelled, seed: people.unlabelled });
    return pretrainEncoder(await loadTensorFlow(), await openFaces(rendered), SETTINGS);
  });
  await using sideBySide = openSideBySide();
  const [{ faces, adversary }, adversaryMinutes] = await timed(async () => {
    const rendered = await renderFaces(folder, "labelled", { ...labelled, seed: people.labelled });
    return { faces: rendered, adversary: await measureAdversary(sideBySide, rendered, pretrained, seeds) };
  });
  const [fewLabels, fewLabelsMinutes] = await timed(async () =>
    values.rehearse ? [] : measureFewLabels(sideBySide, faces, pretrained),
  );
  const minutes = { pretraining, adversary: adversaryMinutes, fewLabels: fewLabelsMinutes };
  const tables = reportToMarkdown({ adversary, fewLabels, minutes });
  process.stdout.write(tables);
  if (values.output !== undefined) {
    await mkdir(values.output, { recursive: true });
    await writeFile(join(values.output, "experiments.md"), tables);
    await writeFile(join(values.output, "f1-by-epoch.svg"), await plotCurves(adversary.curves));
    await writeFile(
      join(values.output, "experiments.json"),
      JSON.stringify({ SETTINGS, adversary, fewLabels, minutes }),
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function timed<T>(work: () => Promise<T>): Promise<[T, minutes: number]> {
  const begin = performance.now();
  return [await work(), (performance.now() - begin) / 60_000];
}
