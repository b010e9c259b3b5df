import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createDuchenneClient, type DuchenneClient, waitForJob, watchJob } from "@duchenne/client";
import { EXPRESSION_PROTOCOLS, SYNTHFACS_ACTION_UNITS } from "@duchenne/data";
import {
  type CreateTrainingJobRequestSchema,
  DatasetProtocol,
  type EvaluationReport,
  GateOutcome,
  type Job,
  type JobEvent,
  JobState,
  SamplingUnit,
  Split,
} from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// Every kind of training but the main job's, and the evaluation of what it makes. Nothing is learned in so few steps of so
// small a model: what counts is that jobs say what they do, end, and leave versions that later jobs go on from.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  await drawExpressions(join(folder.path, "import", "raf"));
  server = await startServer("standalone", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: 6, framesPerSubject: 12, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  const protocol = DatasetProtocol.RAF_DB;
  await client.datasets.registerDataset({ datasetId: "raf", directory: "raf", protocol });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const EXPRESSIONS = EXPRESSION_PROTOCOLS["raf-db"].expressions;
const TRAIN_FRAMES = 6;
const TEST_FRAMES = 3;

/** RAF-DB's folders, with drawings whose mouth and brows differ from class to class. */
async function drawExpressions(directory: string): Promise<void> {
  for (const [part, frames] of Object.entries({ train: TRAIN_FRAMES, test: TEST_FRAMES })) {
    for (const index of EXPRESSIONS.keys()) {
      const classFolder = join(directory, part, String(index + 1));
      await mkdir(classFolder, { recursive: true });
      for (let i = 0; i < frames; i++) {
        const [mouth, brow] = [22 + 3 * (index - 3), 2 * ((index % 3) - 1)];
        const skin = `hsl(${20 + 5 * i}, 40%, ${50 + 5 * i}%)`;
        const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" fill="none" stroke="#222" stroke-width="2">
          <rect width="32" height="32" fill="${skin}" stroke="none"/><path d="M8 22 Q16 ${mouth} 24 22"/>
          <path d="M7 ${9 - brow} L13 ${9 + brow} M19 ${9 + brow} L25 ${9 - brow}"/></svg>`;
        await sharp(Buffer.from(drawing))
          .png()
          .toFile(join(classFolder, `${i}.png`));
      }
    }
  }
}

type Training = NonNullable<MessageInitShape<typeof CreateTrainingJobRequestSchema>["training"]>;

const encoder = { variant: "micro", imageSize: 32, patchSize: 16 };
const optimization = { epochs: 2, warmupEpochs: 0.5, batchSize: 16, baseLearningRate: 1e-3 };

/** Checks a training without starting it, starts it, and watches it to its end. */
async function trained(training: Training): Promise<{ readonly job: Job; readonly events: readonly JobEvent[] }> {
  const before = (await client.jobs.listJobs({})).jobs.length;
  const checked = await client.trainer.createTrainingJob({ training, validateOnly: true });
  expect(checked.name).toBe("");
  expect((await client.jobs.listJobs({})).jobs).toHaveLength(before);

  const { name, spec } = await client.trainer.createTrainingJob({ training });
  expect(spec).toEqual(checked.spec);
  const events: JobEvent[] = [];
  for await (const event of watchJob(client, name)) events.push(event);
  expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => BigInt(i + 1)));
  expect(events.at(-1)!.event).toMatchObject({ case: "state", value: { state: JobState.SUCCEEDED } });
  const progress = events.flatMap(({ event }) => (event.case === "progress" ? [event.value] : []));
  expect(progress.at(-1)).toMatchObject({ fraction: 1, step: progress.at(-1)!.totalSteps });
  return { job: await client.jobs.getJob({ name }), events };
}

const refused = (training: Training) => failureOf(client.trainer.createTrainingJob({ training, validateOnly: true }));

/** The names of all metrics that a job told of. */
const metricNames = (events: readonly JobEvent[]) =>
  new Set(events.flatMap(({ event }) => (event.case === "metrics" ? Object.keys(event.value.values) : [])));

/** The version that a job made, and its card. */
async function versionOf({ job }: { readonly job: Job }) {
  const name = job.result!.modelVersion as string;
  const version = await client.models.getModelVersion({ name });
  expect(version.job).toBe(job.name);
  return { name, version, roles: version.files.map(({ role }) => role), card: JSON.parse(version.cardJson) };
}

/** Makes something when it is first asked for, and once. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const FACES = "datasets/faces";
const RAF = "datasets/raf";

const pretrained = once(async () => {
  const value = { dataset: FACES, model: "models/pretrained", encoder, optimization: { ...optimization, epochs: 1 } };
  return trained({ case: "pretrain", value });
});

const detector = once(async () => {
  const { name } = await versionOf(await pretrained());
  const value = { dataset: FACES, model: "models/detector", encoder: { initialModelVersion: name }, optimization };
  return trained({ case: "fineTune", value: { ...value, augmentation: "flip" } });
});

const student = once(async () => {
  const { name } = await versionOf(await detector());
  const small = { ...encoder, patchSize: 32 };
  const value = { dataset: FACES, model: "models/student", teacherModelVersion: name, encoder: small, optimization };
  return trained({ case: "distil", value });
});

const classifier = once(async () => {
  const { name } = await versionOf(await pretrained());
  const initial = { initialModelVersion: name };
  const value = { dataset: RAF, model: "models/expressions", encoder: initial, augmentation: "flip", optimization };
  return trained({ case: "fineTuneExpression", value });
});

const longer = once(async () => {
  const { name } = await versionOf(await pretrained());
  const value = { dataset: RAF, model: "models/longer", encoder: { initialModelVersion: name }, augmentation: "flip" };
  return trained({ case: "fineTuneExpression", value: { ...value, optimization: { ...optimization, epochs: 4 } } });
});

async function evaluated(modelVersion: string, more: object = {}): Promise<EvaluationReport> {
  const request = { modelVersion, dataset: FACES, bootstrapResamples: 50, ...more };
  const { result } = await waitForJob(client, (await client.evaluator.createEvaluation(request)).name);
  return client.evaluator.getReport({ name: result!.evaluation as string });
}

describe("a pretraining", () => {
  it("makes a masked autoencoder, which a fine-tune starts from", async () => {
    const { job, events } = await pretrained();
    expect(job).toMatchObject({ kind: "pretrain", displayName: `Pretraining of micro on ${FACES}` });
    expect(job.spec).toMatchObject({ recipe: { maskRatio: 0.75, normPixLoss: true, optimization: { epochs: 1 } } });
    expect(metricNames(events)).toContain("train/loss");
    expect(events.map(({ event }) => event.case)).toContain("checkpoint");
    const mae = await versionOf({ job });
    expect(mae.version).toMatchObject({ kind: "mae", actionUnits: [] });
    expect(mae.roles).toEqual(["safetensors", "card"]);

    const made = await versionOf(await detector());
    expect(made.version.kind).toBe("vit");
    expect(made.card.lineage).toMatchObject({ initialModelVersion: mae.name, initialModelDigest: mae.version.digest });
    const own = { source: FACES, digest: expect.any(String), license: "Apache-2.0" };
    expect(made.card.licenses).toEqual([own, { ...own, through: mae.name }]);
    expect(made.card.config).toMatchObject({ dim: 96, depth: 4, imageSize: 32, patchSize: 16, numSubjects: 6 });
    const told = (await detector()).events.flatMap(({ event }) => (event.case === "log" ? event.value.text : []));
    expect(told[0]).toMatch(/^Starts from earlier weights; drawn anew: .*head\.weight.*; left out: .*decoder/);
  });

  it("is refused with the fields that are wrong", async () => {
    const value = { dataset: FACES, model: "models/none", encoder: { ...encoder, patchSize: 7 }, maskRatio: 1 };
    expect(await refused({ case: "pretrain", value })).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_RECIPE",
      fields: expect.arrayContaining(["pretrain.mask_ratio"]),
    });
  });
});

describe("a distillation", () => {
  it("makes a student, which is evaluated like its teacher", async () => {
    const { job, events } = await student();
    expect(job).toMatchObject({ kind: "distil", spec: { recipe: { temperature: 2, featuresWeight: 1 } } });
    expect([...metricNames(events)]).toEqual(expect.arrayContaining(["train/answerLoss", "train/featureLoss"]));
    const made = await versionOf({ job });
    expect(made.version.kind).toBe("vit");
    expect(made.roles).toEqual(["safetensors", "onnx", "card"]);
    const { name: teacher, version } = await versionOf(await detector());
    expect(made.card.lineage).toMatchObject({ teacherModelVersion: teacher, teacherModelDigest: version.digest });
    expect(made.card.licenses.map(({ through }: { through?: string }) => through)).toEqual([
      undefined,
      teacher,
      teacher,
    ]);
    expect(made.card.config).toMatchObject({ patchSize: 32, numSubjects: 0 });

    const report = await evaluated(made.name, { identityLeakage: true });
    expect(report).toMatchObject({ split: Split.HELD_OUT, intervalsOver: SamplingUnit.SUBJECTS, subjects: 2 });
    expect(report.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([...SYNTHFACS_ACTION_UNITS]);
    expect(report.identityLeakage).toMatchObject({ subjects: 2, chance: 0.5 });
    expect(report.expressionReport).toBeUndefined();
    expect(report.macroAuc!.value).toBeCloseTo(made.card.metrics["test/macroAuc"].value, 2);
  });

  it("is refused without a detector to learn from", async () => {
    const { name } = await versionOf(await pretrained());
    const value = { dataset: FACES, model: "models/none", teacherModelVersion: name, encoder, optimization };
    expect(await refused({ case: "distil", value })).toMatchObject({
      code: "InvalidArgument",
      reason: "WRONG_MODEL_KIND",
      fields: ["distil.teacher_model_version"],
      text: expect.stringContaining("Expected an action unit detector, models/pretrained/versions/1 is an autoencoder"),
    });
  });
});

describe("an identity probe", () => {
  it("answers how often it names the subject, and against which chance", async () => {
    const { name } = await versionOf(await detector());
    const value = { dataset: FACES, modelVersion: name, optimization: { ...optimization, epochs: 3 } };
    const { job, events } = await trained({ case: "linearProbe", value });
    expect(job.kind).toBe("linear_probe");
    expect(job.result).toMatchObject({ subjects: 6, chance: 1 / 6, testFrames: 24, trainFrames: 48 });
    expect(job.result!.top1).toBeGreaterThanOrEqual(0);
    expect([...metricNames(events)]).toEqual(expect.arrayContaining(["test/top1", "test/top5", "test/crossEntropy"]));
  });

  it("is refused for a model without pooled features, and for data without subjects", async () => {
    const { name } = await versionOf(await pretrained());
    const probe = (value: object) =>
      refused({ case: "linearProbe", value: { dataset: FACES, modelVersion: name, ...value } });
    expect(await probe({})).toMatchObject({ reason: "WRONG_MODEL_KIND", fields: ["linear_probe.model_version"] });
    const modelVersion = (await versionOf(await detector())).name;
    const frozen = { modelVersion, augmentation: "flip", testFraction: 1.5 };
    expect(await probe(frozen)).toMatchObject({ fields: ["linear_probe.test_fraction"] });
    expect(await probe({ modelVersion, dataset: RAF })).toMatchObject({
      fields: ["linear_probe.dataset"],
      text: expect.stringContaining("Expected at least 2 subjects with 2 frames each, got 0 such"),
    });
  });
});

describe("an expression fine-tune", () => {
  it("makes a classifier on RAF-DB's folders", async () => {
    const { job, events } = await classifier();
    expect(job).toMatchObject({ kind: "fine_tune_expression", displayName: `Expression fine-tune of micro on ${RAF}` });
    expect([...metricNames(events)]).toEqual(expect.arrayContaining(["train/loss", "validation/top1"]));
    const made = await versionOf({ job });
    expect(made.version).toMatchObject({ kind: "vit-expression", actionUnits: [] });
    expect(made.roles).toEqual(["safetensors", "onnx", "card"]);
    expect(made.card).toMatchObject({ config: { expressions: EXPRESSIONS }, split: { isOfficial: true } });
  });

  it("is evaluated on the official test part", async () => {
    const { name, card } = await versionOf(await classifier());
    const { code, stdout } = await duchenneCommand(server, "evaluate", "--model", name, "--dataset", RAF, "--json");
    expect(code).toBe(0);
    const report = await client.evaluator.getReport({ name: JSON.parse(stdout).name });
    expect(stdout).toBe(`${report.json}\n`);
    const frames = TEST_FRAMES * EXPRESSIONS.length;
    expect(report).toMatchObject({ split: Split.HELD_OUT, frames, subjects: 0, actionUnits: [] });
    expect(report.intervalsOver).toBe(SamplingUnit.FRAMES);
    const { top1, trivialTop1, meanClassAccuracy, macroF1, crossEntropy, expressions, framesLeftOut } =
      report.expressionReport!;
    expect(expressions.map(({ expression }) => expression)).toEqual(EXPRESSIONS);
    expect(top1!.value).toBeCloseTo(card.metrics["test/top1"].value, 12);
    expect(card.metrics["test/top1"]).toMatchObject({ intervalOver: "frames", lower: expect.any(Number) });
    expect(top1!.lower!).toBeLessThanOrEqual(top1!.value!);
    expect(top1!.upper!).toBeGreaterThanOrEqual(top1!.value!);
    expect(trivialTop1).toBeCloseTo(1 / 7, 12);
    expect(framesLeftOut).toBe(0);
    // As many frames of each class: the mean recall is the share of right answers, which stand on the diagonal.
    expect(meanClassAccuracy!.value).toBeCloseTo(top1!.value!, 12);
    const right = expressions.reduce((sum, { answers }, i) => sum + answers[i]!, 0);
    expect(right / frames).toBeCloseTo(top1!.value!, 12);
    expect(macroF1!.value).toBeCloseTo(expressions.reduce((sum, { f1 }) => sum + f1!.value!, 0) / 7, 12);
    for (const { answers, frames: own, recall, inDataset } of expressions) {
      expect(inDataset).toBe(true);
      expect(answers.reduce((sum, count) => sum + count, 0)).toBe(own);
      expect(recall).toHaveProperty("value");
    }
    expect(crossEntropy!.value).toBeGreaterThan(0);
    expect(report.markdown).toContain(`# ${name} on ${RAF} (held-out frames)`);
    expect(report.markdown).toContain("| Mean class accuracy (UAR) |");
    expect(JSON.parse(report.json)).toMatchObject({ frames, split: "held_out", confusion: expect.any(Array) });
  });

  it("is compared with another on the same frames", async () => {
    const [before, after] = [await versionOf(await classifier()), await versionOf(await longer())];
    const first = await evaluated(before.name, { dataset: RAF });
    const second = await evaluated(after.name, { dataset: RAF });
    const pair = { before: first.name, after: second.name };
    const compared = await client.evaluator.compareEvaluations({ ...pair, bootstrapResamples: 50 });
    expect(compared).toMatchObject({
      ...pair,
      beforeModelVersion: before.name,
      afterModelVersion: after.name,
      dataset: RAF,
      frames: first.frames,
      subjects: 0,
      intervalsOver: SamplingUnit.FRAMES,
      actionUnits: [],
    });
    expect(compared.macroAuc).toBeUndefined();
    const [of, report] = [compared.expressionComparison!, second.expressionReport!];
    for (const figure of ["top1", "meanClassAccuracy", "macroF1"] as const) {
      expect(of[figure]!.before).toEqual(first.expressionReport![figure]);
      expect(of[figure]!.after).toEqual(report[figure]);
    }
    expect(of.expressions.map(({ expression }) => expression)).toEqual(EXPRESSIONS);
    for (const [i, { recall, f1 }] of of.expressions.entries()) {
      expect(recall!.after).toEqual(report.expressions[i]!.recall);
      expect(f1!.after).toEqual(report.expressions[i]!.f1);
    }
    expect(of.bothRight + of.onlyBeforeRight + of.onlyAfterRight + of.bothWrong).toBe(first.frames);
    expect((of.bothRight + of.onlyAfterRight) / first.frames).toBeCloseTo(report.top1!.value!, 12);
    expect(of).toMatchObject({ onlyBefore: [], onlyAfter: [] });

    const [html, junit] = [join(folder.path, "compared.html"), join(folder.path, "compared.xml")];
    const options = ["--html", html, "--junit", junit];
    const { code, stdout } = await duchenneCommand(server, "compare", first.name, second.name, ...options);
    expect(code).toBe(0);
    expect(stdout).toContain(`# ${before.name} and ${after.name} on ${RAF}`);
    expect(stdout).toContain("| Macro F1 |");
    expect(await readFile(html, "utf8")).toContain(`<h1>${before.name} and ${after.name} on ${RAF}</h1>`);
    expect(await readFile(junit, "utf8")).toContain(`tests="${3 + EXPRESSIONS.length}" failures="0" errors="0"`);
    expect(compared).toMatchObject({ html: "", junitXml: "" });

    const ofUnits = await evaluated((await versionOf(await detector())).name);
    const mixed = client.evaluator.compareEvaluations({ before: ofUnits.name, after: second.name });
    expect(await failureOf(mixed)).toMatchObject({
      code: "FailedPrecondition",
      reason: "MODEL_KINDS_DIFFER",
      text: expect.stringContaining(`an action unit detector (${ofUnits.name}) and an expression classifier`),
    });
  });

  it("is judged by a gate beside what is live of its model, which is evaluated for it", async () => {
    const [before, after] = [await versionOf(await classifier()), await versionOf(await longer())];
    const [file, junit] = [join(folder.path, "gate.yaml"), join(folder.path, "gate.xml")];
    const live = "models/expressions@live";
    const gate = `
      top1: {min: 0, not_lower_than: ${live}, by_more_than: 1}
      each_expression: {recall: {loses_at_most: 1, compared_to: ${live}}}`;
    await writeFile(file, gate);
    const nameless = await duchenneCommand(server, "models", "promote", before.name);
    expect(nameless).toMatchObject({ code: 1, stdout: "" });
    expect(nameless.stderr).toContain(`${before.name} is an expression classifier`);
    expect(nameless.stderr).toContain(`Name the alias: --alias ${live}`);

    // All frames: that part was evaluated of neither.
    const report = await evaluated(after.name, { dataset: RAF, split: Split.ALL });
    const judged = () => client.evaluator.checkGate({ evaluation: report.name, gate });
    const unset = await judged();
    expect(unset.outcome).toBe(GateOutcome.COULD_NOT_TELL);
    expect(unset.markdown).toContain(`${live} points at no version`);
    await client.models.setAlias({ name: live, version: before.name });
    expect(await failureOf(judged())).toMatchObject({
      reason: "BASELINE_NOT_EVALUATED",
      metadata: { model_version: before.name },
    });

    const what = ["--model", after.name, "--dataset", RAF, "--split", "all", "--gate", file, "--junit", junit];
    const { code, stdout } = await duchenneCommand(server, "evaluate", ...what);
    expect(stdout).toContain(`# Gate passed: ${after.name} on ${RAF}`);
    expect(stdout).toContain("| each_expression.recall.loses_at_most surprise | passed |");
    expect(stdout).toContain("| Macro F1 |");
    expect(code).toBe(0);
    expect(await readFile(junit, "utf8")).toContain(`tests="${2 + EXPRESSIONS.length}" failures="0" errors="0"`);
    expect((await judged()).outcome).toBe(GateOutcome.PASS);
    await client.models.deleteAlias({ name: live });
    expect((await judged()).outcome).toBe(GateOutcome.COULD_NOT_TELL);
  });

  it("is judged by a gate beside an earlier version, and by its own rules alone", async () => {
    const [before, after] = [await versionOf(await classifier()), await versionOf(await longer())];
    const report = await evaluated(after.name, { dataset: RAF, split: Split.ALL });
    const judged = (rules: string) => client.evaluator.checkGate({ evaluation: report.name, gate: rules });
    const check = await judged("macro_f1: {min: 1}\neach_expression: {f1: {min: 0}}");
    expect(check.outcome).toBe(GateOutcome.FAIL);
    expect(check.findings[0]).toMatchObject({ rule: "macro_f1.min", expression: "", outcome: GateOutcome.FAIL });
    expect(check.findings[0]!.estimate).toEqual(report.expressionReport!.macroF1);
    expect(check.findings.slice(1).map(({ expression }) => expression)).toEqual(EXPRESSIONS);
    expect(check.findings[1]!.actionUnit).toBeUndefined();

    await evaluated(before.name, { dataset: RAF, split: Split.ALL });
    expect((await judged(`top1: {not_lower_than: ${before.name}, by_more_than: 1}`)).outcome).toBe(GateOutcome.PASS);
    expect(await failureOf(judged("top1: {not_lower_than: live}"))).toMatchObject({
      reason: "INVALID_GATE",
      fields: ["gate.top1.not_lower_than"],
    });

    expect(await failureOf(judged("macro_auc: {min: 0.5}"))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_GATE",
      fields: ["gate.macro_auc.min"],
    });
    const { name } = await versionOf(await detector());
    expect(await failureOf(judged(`top1: {not_lower_than: ${name}}`))).toMatchObject({ reason: "MODEL_KINDS_DIFFER" });
    const autoencoder = (await versionOf(await pretrained())).name;
    expect(await failureOf(judged(`top1: {not_lower_than: ${autoencoder}}`))).toMatchObject({
      reason: "NOT_EVALUABLE",
      fields: ["gate"],
    });
  });

  it("is refused on data without expressions", async () => {
    const value = { dataset: FACES, model: "models/none", encoder, optimization };
    expect(await refused({ case: "fineTuneExpression", value })).toMatchObject({
      code: "InvalidArgument",
      fields: ["fine_tune_expression.dataset"],
    });
  });
});

describe("a quantisation", () => {
  const quantized = async (modelVersion: string, dataset: string) => {
    // So small a model that nobody trained in earnest: what is asked is which frames are taken, not how near it comes.
    const request = { modelVersion, dataset, maxMeanDifference: 0.1 };
    return versionOf({ job: await waitForJob(client, (await client.models.quantizeModel(request)).name) });
  };

  it("of a detector compares on the subjects that its training held out", async () => {
    const { name, version, card: source } = await versionOf(await detector());
    const { card, roles } = await quantized(name, FACES);
    expect(roles).toEqual(["onnx", "card"]);
    expect(card.lineage).toEqual({
      ...source.lineage,
      job: expect.any(String),
      attempt: 1,
      quantizedModelVersion: name,
      quantizedModelDigest: version.digest,
    });
    expect(card.lineage.job).not.toBe(source.lineage.job);
    expect(card.licenses.at(-1)).toEqual({ source: FACES, digest: expect.any(String), license: "Apache-2.0" });
    expect(card.quantization).toMatchObject({
      calibration: { dataset: FACES, frames: 48 },
      measured: { frames: 24, isHeldOut: true, float32: { macroAuc: expect.any(Number) } },
    });
    expect((await evaluated(card.model.concat("/versions/2"))).split).toBe(Split.HELD_OUT);
  });

  it("of a classifier compares on the official test part", async () => {
    const { name, card: source } = await versionOf(await classifier());
    const { card } = await quantized(name, RAF);
    const { calibration, measured } = card.quantization;
    expect(calibration.frames).toBe(TRAIN_FRAMES * EXPRESSIONS.length);
    expect(measured).toMatchObject({ frames: TEST_FRAMES * EXPRESSIONS.length, isHeldOut: true });
    expect(measured.float32.top1).toBeCloseTo(source.metrics["test/top1"].value, 12);
    expect(measured.int8.top1).toEqual(expect.any(Number));
  });
});

describe("an evaluation is refused", () => {
  const refusedEvaluation = (modelVersion: string, more: object) =>
    failureOf(client.evaluator.createEvaluation({ modelVersion, dataset: FACES, validateOnly: true, ...more }));

  it("of a version that answers nothing that is labelled", async () => {
    const { name } = await versionOf(await pretrained());
    expect(await refusedEvaluation(name, {})).toMatchObject({
      code: "InvalidArgument",
      reason: "NOT_EVALUABLE",
      fields: ["model_version"],
      text: expect.stringContaining("models/pretrained/versions/1 is a masked autoencoder"),
    });
  });

  it("on data that labels something else", async () => {
    const made = (await versionOf(await classifier())).name;
    expect(await refusedEvaluation(made, {})).toMatchObject({
      reason: "EXPRESSION_MISMATCH",
      fields: ["dataset"],
      text: expect.stringContaining("Expected a data set with some of the expressions surprise, fear"),
    });
    const found = (await versionOf(await detector())).name;
    expect(await refusedEvaluation(found, { dataset: RAF })).toMatchObject({
      reason: "ACTION_UNIT_MISMATCH",
      fields: ["dataset"],
      text: expect.stringContaining("it has none"),
    });
  });

  it("with identity leakage on data without subjects", async () => {
    const { name } = await versionOf(await classifier());
    expect(await refusedEvaluation(name, { dataset: RAF, identityLeakage: true })).toMatchObject({
      reason: "NO_SUBJECTS",
      fields: ["identity_leakage"],
    });
  });
});
