import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, waitForJob } from "@duchenne/client";
import { SYNTHFACS_ACTION_UNITS } from "@duchenne/data";
import { type EvaluationReport, GateOutcome, SamplingUnit, Split } from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// Versions of a small detector: two trained alike but for their length, on the same held-out subjects, and two whose seeds
// held out others.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;
let shorter: EvaluationReport;
let longer: EvaluationReport;

const FACES = "datasets/faces";
const FRAMES_PER_SUBJECT = 12;
/** What these hold out overlaps, and the second holds out no subject that is held out by default. */
const OTHER_SEEDS = [2n, 6n] as const;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: 9, framesPerSubject: FRAMES_PER_SUBJECT, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  for (const epochs of [1, 3]) await trained({ epochs });
  for (const seed of OTHER_SEEDS) await trained({ epochs: 1, seed }, { testFraction: 0.4 });
  shorter = await evaluated("models/small/versions/1");
  longer = await evaluated("models/small/versions/2");
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

async function trained(lengthAndSeed: object, split: object = {}): Promise<void> {
  const encoder = { variant: "micro", imageSize: 32, patchSize: 16 };
  const optimization = { warmupEpochs: 0.5, batchSize: 16, baseLearningRate: 1e-3, ...lengthAndSeed };
  const value = { dataset: FACES, model: "models/small", encoder, optimization, split, augmentation: "flip" };
  const job = await client.trainer.createTrainingJob({ training: { case: "fineTune", value } });
  await waitForJob(client, job.name);
}

async function evaluated(modelVersion: string, more: object = {}): Promise<EvaluationReport> {
  const request = { modelVersion, dataset: FACES, bootstrapResamples: 200, ...more };
  const { result } = await waitForJob(client, (await client.evaluator.createEvaluation(request)).name);
  return client.evaluator.getReport({ name: result!.evaluation as string });
}

describe("a gate", () => {
  const judged = async (gate: string, ...options: string[]) => {
    const [file, junit] = [join(folder.path, "gate.yaml"), join(folder.path, "gate.xml")];
    await writeFile(file, gate);
    const what = ["--model", "models/small/versions/2", "--dataset", FACES, "--gate", file, "--junit", junit];
    const ended = await duchenneCommand(server, "evaluate", ...what, ...options);
    return { ...ended, junit: await readFile(junit, "utf8").catch(() => "") };
  };

  it("says that it is not done, apart from what it finds, when it cannot be asked", async () => {
    const wrong = await judged("macro_auc: {minimum: 0.7}");
    expect(wrong).toMatchObject({ code: 3, stdout: "", junit: "" });
    expect(wrong.stderr).toContain("gate.macro_auc");
    expect((await judged("macro_auc: {min: 0.7}", "--no-such-option")).code).toBe(3);
    const check = client.evaluator.checkGate({ evaluation: longer.name, gate: "macro_auc: {minimum: 0.7}" });
    expect(await failureOf(check)).toMatchObject({ code: "InvalidArgument", reason: "INVALID_GATE" });
  });

  it("is passed when the whole interval says so, and evaluates what it compares with", async () => {
    const gate = `
      macro_auc: {min: 0, not_lower_than: models/small/versions/1, by_more_than: 1}
      each_action_unit: {auc: {loses_at_most: 0, compared_to: models/small/versions/2}}`;
    const all = await evaluated("models/small/versions/2", { split: Split.ALL });
    const early = client.evaluator.checkGate({ evaluation: all.name, gate });
    expect(await failureOf(early)).toMatchObject({ code: "FailedPrecondition", reason: "BASELINE_NOT_EVALUATED" });
    const { code, stdout, junit } = await judged(gate, "--split", "all");
    expect(stdout).toContain("# Gate passed: models/small/versions/2 on datasets/faces");
    expect(code).toBe(0);
    expect(junit).toContain(`tests="${2 + SYNTHFACS_ACTION_UNITS.length}" failures="0" errors="0"`);
    const check = await client.evaluator.checkGate({ evaluation: all.name, gate });
    expect(check.outcome).toBe(GateOutcome.PASS);
    expect(check.findings[0]!.estimate).toEqual(all.macroAuc);
  });

  it("is failed when a limit is broken, whatever else could not be told", async () => {
    const gate = "macro_auc: {min: 1, not_lower_than: canary}\nidentity_leakage: {max: 1}";
    const { code, stdout, junit } = await judged(gate);
    expect(stdout).toContain("# Gate failed: ");
    expect(code).toBe(1);
    expect(junit).toContain('tests="3" failures="1" errors="1"');
  });

  it("could not tell when there is nothing to compare with", async () => {
    const { code, stdout } = await judged("macro_auc: {not_lower_than: canary, by_more_than: 0.01}");
    expect(stdout).toContain("models/default@canary points at no version");
    expect(code).toBe(2);
  });
});

describe("two evaluations on the same frames", () => {
  it("are compared, with the figures of their reports", async () => {
    const request = { before: shorter.name, after: longer.name, bootstrapResamples: 200 };
    const compared = await client.evaluator.compareEvaluations(request);
    expect(compared).toMatchObject({
      before: shorter.name,
      after: longer.name,
      beforeModelVersion: "models/small/versions/1",
      afterModelVersion: "models/small/versions/2",
      dataset: FACES,
      datasetDigest: shorter.datasetDigest,
      frames: shorter.frames,
      subjects: shorter.subjects,
      intervalsOver: SamplingUnit.SUBJECTS,
      confidence: 0.95,
      onlyBefore: [],
      onlyAfter: [],
    });
    expect(compared.macroAuc!.before).toEqual(shorter.macroAuc);
    expect(compared.macroAuc!.after).toEqual(longer.macroAuc);
    expect(compared.meanF1!.after).toEqual(longer.meanF1);
    expect(compared.macroAuc!.change!.value).toBeCloseTo(longer.macroAuc!.value! - shorter.macroAuc!.value!, 12);
    expect(compared.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([...SYNTHFACS_ACTION_UNITS]);
    for (const [i, { auc }] of compared.actionUnits.entries()) expect(auc!.after).toEqual(longer.actionUnits[i]!.auc);
  });

  it("are compared by a command, which writes a page and JUnit XML, too", async () => {
    const [html, junit] = [join(folder.path, "compared.html"), join(folder.path, "compared.xml")];
    const files = ["--html", html, "--junit", junit];
    const { code, stdout, stderr } = await duchenneCommand(server, "compare", shorter.name, longer.name, ...files);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await readFile(html, "utf8")).toContain("<h1>models/small/versions/1 and models/small/versions/2 on ");
    expect(await readFile(junit, "utf8")).toContain(`tests="${2 + SYNTHFACS_ACTION_UNITS.length}" failures="0"`);
    const { evaluator } = client;
    const compared = await evaluator.compareEvaluations({ before: shorter.name, after: longer.name });
    expect(stdout).toBe(compared.markdown);
    expect(stdout).toContain("# models/small/versions/1 and models/small/versions/2 on datasets/faces");
    const options = ["--json", "--confidence", "0.8"];
    const json = JSON.parse((await duchenneCommand(server, "compare", shorter.name, longer.name, ...options)).stdout);
    expect(json).toMatchObject({ before: shorter.name, confidence: 0.8, macroAuc: { change: expect.anything() } });
    const change = compared.macroAuc!.change!;
    expect(json.macroAuc.change.upper - json.macroAuc.change.lower).toBeLessThanOrEqual(change.upper! - change.lower!);
  });

  it("are refused when their frames differ, or are not there", async () => {
    const all = await evaluated("models/small/versions/1", { split: Split.ALL });
    const compare = (before: string, after: string) =>
      failureOf(client.evaluator.compareEvaluations({ before, after }));
    expect(await compare(all.name, longer.name)).toMatchObject({
      code: "FailedPrecondition",
      reason: "FRAMES_DIFFER",
      text: expect.stringContaining(
        `${all.frames} frames of the whole data set in ${all.name} and ${longer.frames} held-out frames in ${longer.name}. The frames of ${all.name} may include what models/small/versions/1 was trained on`,
      ),
    });
    expect(await compare("evaluations/none", longer.name)).toMatchObject({ code: "NotFound" });
    expect(await compare("models/small", longer.name)).toMatchObject({ code: "InvalidArgument" });
  });
});

describe("evaluations of versions whose trainings held out other subjects", () => {
  const [first, second] = ["models/small/versions/3", "models/small/versions/4"];
  const heldOutBy = async (name: string): Promise<string[]> => {
    const { cardJson } = await client.models.getModelVersion({ name });
    return JSON.parse(cardJson).split.testSubjects;
  };
  let before: EvaluationReport;
  let after: EvaluationReport;
  let common: string[];
  const check = (gate: string) => client.evaluator.checkGate({ evaluation: after.name, gate });

  beforeAll(async () => {
    const [ofFirst, ofSecond] = [await heldOutBy(first), await heldOutBy(second)];
    common = ofFirst.filter((subject) => ofSecond.includes(subject));
    expect(common.length).toBeGreaterThan(1);
    expect(common.length).toBeLessThan(Math.min(ofFirst.length, ofSecond.length));
    expect((await heldOutBy("models/small/versions/1")).filter((subject) => ofSecond.includes(subject))).toEqual([]);
    [before, after] = [await evaluated(first), await evaluated(second)];
  });

  it("are compared on the frames of those that both held out", async () => {
    const frames = common.length * FRAMES_PER_SUBJECT;
    const alone = [before.frames - frames, after.frames - frames] as const;
    const compared = await client.evaluator.compareEvaluations({ before: before.name, after: after.name });
    const counts = { frames, framesOnlyBefore: alone[0], framesOnlyAfter: alone[1], subjects: common.length };
    expect(compared).toMatchObject({ ...counts, intervalsOver: SamplingUnit.SUBJECTS });
    expect(JSON.parse(compared.json)).toMatchObject(counts);
    expect(compared.markdown).toContain(
      `${frames} frames of ${common.length} subjects, which both trainings held out. Held out by one alone and in no figure: ${alone[0]} of the first, ${alone[1]} of the second.`,
    );
    const html = join(folder.path, "common.html");
    const { code, stdout } = await duchenneCommand(server, "compare", before.name, after.name, "--html", html);
    expect({ code, stdout }).toEqual({ code: 0, stdout: compared.markdown });
    expect(await readFile(html, "utf8")).toContain(`<p>${frames} frames of ${common.length} subjects, which both `);
  });

  it("are judged by a gate on these", async () => {
    const { outcome, findings } = await check(`macro_auc: {min: 0, not_lower_than: ${first}, by_more_than: 1}`);
    const frames = common.length * FRAMES_PER_SUBJECT;
    expect(outcome).toBe(GateOutcome.PASS);
    expect(findings[0]!.estimate).toEqual(after.macroAuc);
    expect(findings[1]!.explanation).toContain(
      ` on ${frames} of ${after.frames} frames (${common.length} subjects), which both held out;`,
    );
  });

  it("could not be told without one, as a rule of a gate, and are refused to who compares them", async () => {
    const reason = "of models/small/versions/1: Expected frames that both evaluations have, got none ";
    const advice = "Evaluate both on all frames of a data set that neither has seen (--split all)";
    const file = join(folder.path, "disjoint.yaml");
    await writeFile(file, "macro_auc: {min: 0, not_lower_than: models/small/versions/1}");
    const what = ["--model", second, "--dataset", FACES, "--gate", file];
    const { code, stdout } = await duchenneCommand(server, "evaluate", ...what);
    for (const told of ["Rules: passed 1, failed 0, could not tell 1.", reason, advice]) expect(stdout).toContain(told);
    expect(code).toBe(2);
    const named = await check(`macro_auc: {not_lower_than: ${shorter.name}}`);
    expect(named.outcome).toBe(GateOutcome.COULD_NOT_TELL);
    expect(named.findings[0]!.explanation).toContain(`${shorter.name} ${reason}`);
    const disjoint = { before: shorter.name, after: after.name };
    expect(await failureOf(client.evaluator.compareEvaluations(disjoint))).toMatchObject({
      code: "FailedPrecondition",
      reason: "FRAMES_DIFFER",
      text: expect.stringContaining(advice),
    });
  });

  it("are refused as a gate's baseline when one is of all frames, which a version was trained on", async () => {
    const all = await evaluated(first, { split: Split.ALL });
    expect(await failureOf(check(`macro_auc: {not_lower_than: ${all.name}}`))).toMatchObject({
      code: "FailedPrecondition",
      reason: "FRAMES_DIFFER",
      text: expect.stringContaining(`The frames of ${all.name} may include what ${first} was trained on`),
    });
  });
});
