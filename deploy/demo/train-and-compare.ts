import { createJobProgress, type Style, styleFor } from "@duchenne/cli";
import { type DuchenneClient, waitForJob } from "@duchenne/client";
import { actionUnitName } from "@duchenne/data";
import type { Estimate, EvaluationReport, Job } from "@duchenne/proto";

const DATASET = {
  datasetId: "demo",
  seed: 7n,
  subjects: 40,
  framesPerSubject: 12,
  imageSize: 96,
  identityShortcut: 0.3,
};
const RECIPE = {
  dataset: "datasets/demo",
  encoder: { variant: "micro", dropPath: 0 },
  augmentation: "flip",
  optimization: {
    epochs: 12,
    warmupEpochs: 1,
    batchSize: 16,
    baseLearningRate: 0.048,
    layerDecay: 1,
    seed: 1n,
    checkpointEverySteps: 100,
  },
};
const LAMBDA = 1;

interface Trained {
  readonly version: string;
  readonly report: EvaluationReport;
  readonly probe: { readonly top1: number; readonly chance: number; readonly testFrames: number };
}

/** Draws faces, trains with and without the identity adversary, evaluates and probes both, and compares them. */
export async function trainAndCompare(
  client: DuchenneClient,
  say: (text?: string) => void,
  style: Style,
): Promise<void> {
  const { subjects, framesPerSubject, identityShortcut } = DATASET;
  say(
    `   SynthFACS: ${subjects} synthetic subjects x ${framesPerSubject} frames; identity shortcut ${identityShortcut}: the subject`,
  );
  say("   tells something about the action units, so a model is tempted to learn faces instead of movements.\n");
  await finish(client, await client.datasets.synthesizeDataset(DATASET), "drawing ");
  const plain = await train(client, 0, "models/demo-plain");
  const adversarial = await train(client, LAMBDA, "models/demo-iat");
  say(comparison(plain, adversarial, style));
  const auc = ({ report }: Trained) => report.macroAuc?.value ?? 0;
  const { version } = auc(adversarial) > auc(plain) ? adversarial : plain;
  await client.models.setAlias({ name: "models/default@live", version });
  say(
    `\n   Promoted ${version}, the one with the larger AUC, to models/default@live: streams without a model now use it.`,
  );
}

async function train(client: DuchenneClient, lambda: number, model: string): Promise<Trained> {
  const title = `lambda ${lambda}`;
  const value = { ...RECIPE, model, lambda };
  const training = await client.trainer.createTrainingJob({ training: { case: "fineTune", value } });
  const version = resultOf(await finish(client, training, title), "modelVersion");
  const evaluation = await client.evaluator.createEvaluation({
    modelVersion: version,
    dataset: RECIPE.dataset,
    identityLeakage: true,
  });
  const report = await client.evaluator.getReport({
    name: resultOf(await finish(client, evaluation, `${title}, evaluation`), "evaluation"),
  });
  const probing = await client.trainer.createTrainingJob({
    training: { case: "linearProbe", value: { dataset: RECIPE.dataset, modelVersion: version } },
  });
  const probed = await finish(client, probing, `${title}, identity probe`);
  const [top1, chance, testFrames] = ["top1", "chance", "testFrames"].map((key) => Number(resultOf(probed, key)));
  return { version, report, probe: { top1: top1!, chance: chance!, testFrames: testFrames! } };
}

async function finish(client: DuchenneClient, { name }: Job, title: string): Promise<Job> {
  const progress = createJobProgress(process.stdout, styleFor(process.stdout), `   ${title}`);
  try {
    return await waitForJob(client, name, { onEvent: progress.show });
  } finally {
    progress.end();
  }
}

function resultOf({ result }: Job, key: string): string {
  return String(result?.[key]);
}

const LABEL = 36;
const CELL = 26;

function comparison(plain: Trained, adversarial: Trained, style: Style): string {
  const row = (label: string, ...cells: string[]) =>
    `   ${label.padEnd(LABEL)}${cells.map((cell) => cell.padEnd(CELL)).join("")}`.trimEnd();
  const both = (label: string, of: (trained: Trained) => string, against: string) =>
    row(label, of(plain), of(adversarial), against);
  const { report } = plain;
  const units = report.actionUnits.map((unit, i) =>
    both(
      `AU${unit.actionUnit} ${actionUnitName(unit.actionUnit)}`,
      (trained) => interval(trained.report.actionUnits[i]!.f1),
      `${unit.trivialF1.toFixed(2)} (prevalence ${(100 * unit.prevalence).toFixed(0)} %)`,
    ),
  );
  const { probe } = plain;
  return [
    style.bold("\n   Synthetic faces: a check of the mechanics\n"),
    `   ${report.frames} frames of ${report.subjects} subjects that no training saw; [95 % intervals, bootstrap over subjects].\n`,
    style.bold(row("", "lambda 0", `lambda ${LAMBDA} (adversarial)`, "knowing nothing")),
    ...units.map((unit) => style.dim(unit)),
    both("F1, mean over action units", (trained) => interval(trained.report.meanF1), report.meanTrivialF1.toFixed(2)),
    both(
      "F1, threshold swept on the test",
      ({ report: { sweptF1, sweptThreshold } }) => `${sweptF1.toFixed(2)} at ${sweptThreshold.toFixed(2)}`,
      report.meanTrivialF1.toFixed(2),
    ),
    both("AUC, mean over action units", (trained) => interval(trained.report.macroAuc), "0.50"),
    both(
      "Identity read by ridge, held out",
      (trained) => interval(trained.report.identityLeakage?.accuracy),
      `${report.identityLeakage?.chance.toFixed(2)} (chance)`,
    ),
    both(
      `Identity probe, ${probe.testFrames} frames`,
      (trained) => trained.probe.top1.toFixed(2),
      `${probe.chance.toFixed(2)} (chance)`,
    ),
  ].join("\n");
}

function interval(estimate: Estimate | undefined): string {
  if (estimate?.value === undefined) return "undefined";
  const { value, lower, upper } = estimate;
  const ends = lower === undefined || upper === undefined ? "" : ` [${lower.toFixed(2)}, ${upper.toFixed(2)}]`;
  return `${value.toFixed(2)}${ends}`;
}
