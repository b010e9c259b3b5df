import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createDuchenneClient, type DuchenneClient, importModel, waitForJob, watchJob } from "@duchenne/client";
import { SYNTHFACS_ACTION_UNITS } from "@duchenne/data";
import {
  type CreateProjectionRequest,
  type CreateProjectionRequestSchema,
  DatasetProtocol,
  type JobEvent,
  JobState,
  type Projection,
  ReportFormat,
  Split,
} from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../console/chromium.ts";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { grayImage } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// A detector and a classifier with 12 features, imported: what counts is whose features they are, and what is made of them.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

const SUBJECTS = 5;
const FRAMES = 14;
const FACES = "datasets/faces";
const DETECTOR = "models/published/versions/1";
const CLASSIFIER = "models/raf/versions/1";
const fixture = (name: string) => fileURLToPath(new URL(`../reference/fixtures/weights/${name}`, import.meta.url));

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path, { args: ["--max-attempts", "1"] });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: SUBJECTS, framesPerSubject: FRAMES, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  const bp4d = { model: "models/published", protocol: DatasetProtocol.BP4D, heads: 3 };
  await importModel(client, fixture("detector.pth"), bp4d);
  const raf = { model: "models/raf", protocol: DatasetProtocol.RAF_DB, heads: 3 };
  await importModel(client, fixture("classifier.pth"), raf);
  await importModel(client, fixture("mae.pth"), { model: "models/mae", heads: 3, decoderHeads: 2 });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

type Request = Exclude<MessageInitShape<typeof CreateProjectionRequestSchema>, CreateProjectionRequest>;
const create = (request: Request = {}) =>
  client.evaluator.createProjection({ modelVersion: DETECTOR, dataset: FACES, ...request });
async function projected(request: Request = {}, formats: ReportFormat[] = []): Promise<Projection> {
  const { result } = await waitForJob(client, (await create(request)).name);
  return client.evaluator.getProjection({ name: result!.projection as string, formats });
}

describe("a projection that cannot be", () => {
  const refused = (request: Request) => failureOf(create({ ...request, validateOnly: true }));

  it("is refused of versions without features", async () => {
    expect(await refused({ modelVersion: "models/mae/versions/1" })).toMatchObject({
      code: "InvalidArgument",
      reason: "NOT_PROJECTABLE",
      fields: ["model_version"],
      text: expect.stringContaining("models/mae/versions/1 is a masked autoencoder"),
    });
    const [builtIn] = (await client.models.listModelVersions({ parent: "models/blendshape-au" })).modelVersions;
    expect(await refused({ modelVersion: builtIn!.name })).toMatchObject({
      reason: "NOT_PROJECTABLE",
      text: expect.stringContaining("the built-in model, which has none"),
    });
    expect(await refused({ modelVersion: "models/published/versions/9" })).toMatchObject({ code: "NotFound" });
  });

  it("is refused of frames that are none, too few, or nobody's", async () => {
    expect(await refused({ perplexity: 30 })).toMatchObject({
      code: "InvalidArgument",
      reason: "PERPLEXITY_TOO_LARGE",
      fields: ["perplexity"],
      text: expect.stringContaining("Expected a perplexity of at most 23, a third of the 70 frames less one, got 30"),
    });
    expect(await refused({ maxFrames: 6 })).toMatchObject({
      text: expect.stringContaining("Expected at least 7 frames to project, got 6"),
    });
    expect(await refused({ split: Split.HELD_OUT })).toMatchObject({ reason: "NO_HELD_OUT_PART", fields: ["split"] });
    expect(await refused({ dataset: "datasets/none" })).toMatchObject({ code: "NotFound" });
    expect(await refused({ perplexity: 1 })).toMatchObject({ code: "InvalidArgument" });
    const none = await duchenneCommand(server, "project", "--model", DETECTOR, "--dataset", FACES, "--frames", "0");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain('Expected a whole number from 1 to 10000, got "0"');

    const nobodys = join(folder.path, "import", "nobodys");
    await mkdir(nobodys, { recursive: true });
    await writeFile(
      join(nobodys, "dataset.json"),
      JSON.stringify({ name: "nobody's", actionUnits: [12], labels: "occurrence" }),
    );
    await writeFile(join(nobodys, "a.png"), await grayImage(32, 32));
    const line = { image: "a.png", actionUnits: { 12: 1 } };
    await writeFile(join(nobodys, "manifest.jsonl"), JSON.stringify(line));
    await client.datasets.registerDataset({ datasetId: "nobodys", directory: "nobodys" });
    expect(await refused({ dataset: "datasets/nobodys" })).toMatchObject({
      reason: "NO_SUBJECTS",
      fields: ["dataset"],
      text: expect.stringContaining("Expected a data set with subjects to project, datasets/nobodys has none"),
    });
  });

  it("is not there, and neither is that of another job", async () => {
    const [synthesis] = (await client.jobs.listJobs({})).jobs.filter(({ kind }) => kind === "synthesize_dataset");
    for (const id of ["none", synthesis!.name.slice("jobs/".length)]) {
      const read = client.evaluator.getProjection({ name: `projections/${id}` });
      expect(await failureOf(read)).toMatchObject({ code: "NotFound", reason: "PROJECTION_NOT_FOUND" });
    }
    const wrongForm = client.evaluator.getProjection({ name: "projections/none", formats: [ReportFormat.JUNIT] });
    expect(await failureOf(wrongForm)).toMatchObject({ code: "InvalidArgument" });
  });
});

describe("a projection", () => {
  it("is made, told and drawn by a command", async () => {
    const page = join(folder.path, "projection.html");
    const what = ["--model", DETECTOR, "--dataset", FACES, "--frames", "40", "--perplexity", "6"];
    const { code, stdout, stderr } = await duchenneCommand(
      server,
      "project",
      ...[...what, "--neighbours", "4", "--seed", "7", "--html", page, "--priority", "1"],
    );
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("100 %") });
    const [job] = (await client.jobs.listJobs({})).jobs.filter(({ kind }) => kind === "projection");
    expect(job).toMatchObject({
      state: JobState.SUCCEEDED,
      priority: 1,
      displayName: `Projection of ${DETECTOR} on ${FACES}`,
      spec: { split: "all", maxFrames: 40, perplexity: 6, neighbours: 4, seed: 7 },
    });
    const name = job!.result!.projection as string;
    const projection = await client.evaluator.getProjection({ name, formats: [ReportFormat.HTML] });
    expect(projection).toMatchObject({
      name,
      modelVersion: DETECTOR,
      dataset: FACES,
      split: Split.ALL,
      seed: 7n,
      perplexity: 6,
      offPerplexity: 0,
      dimensions: 12,
      subjects: SUBJECTS,
      neighbours: 4,
      keptChance: 4 / 39,
    });
    expect(projection.klDivergence).toBeGreaterThan(0);
    expect(projection.subject).toMatchObject({ frames: 40, ceiling: 1 });
    expect(projection.subject!.chance).toBeCloseTo(7 / 39, 12);
    for (const { features, plane } of [projection.subject!, projection.actionUnits[0]!.all!]) {
      expect(features!.lower!).toBeLessThanOrEqual(features!.value!);
      expect(plane!.upper!).toBeGreaterThanOrEqual(plane!.value!);
    }
    expect(projection.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([...SYNTHFACS_ACTION_UNITS]);

    const { digest, directory } = await client.datasets.getDataset({ name: FACES });
    expect(projection.datasetDigest).toBe(digest);
    const manifest = await readFile(join(directory, "manifest.jsonl"), "utf8");
    const lines = manifest
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(new Set(projection.frames.map(({ frame }) => frame)).size).toBe(40);
    for (const { frame, image, subject, present, unknown } of projection.frames) {
      expect(lines[frame]).toMatchObject({ image, subject });
      const shown = SYNTHFACS_ACTION_UNITS.filter((unit) => lines[frame].actionUnits[unit] >= 2);
      expect({ present, unknown }).toEqual({ present: shown, unknown: [] });
    }

    expect(stdout).toBe(projection.markdown);
    expect(stdout).toContain(`# Projection of ${DETECTOR} on ${FACES} (all frames)`);
    expect(await readFile(page, "utf8")).toBe(projection.html);
    expect(projection.html.match(/<path class="s\d/g)).toHaveLength(40);
    const json = JSON.parse(projection.json);
    expect(json).toMatchObject({ name, perplexity: 6, seed: 7, klDivergence: projection.klDivergence });
    expect(json.points.map(({ x, y }: { x: number; y: number }) => [x, y])).toEqual(
      projection.frames.map(({ x, y }) => [x, y]),
    );
    expect(json.points[0].labels).toHaveLength(SYNTHFACS_ACTION_UNITS.length);
  });

  it("is the same of the same seed, of an expression classifier, too", async () => {
    const request = { modelVersion: CLASSIFIER, maxSubjects: 3, seed: 2n };
    const checked = await create({ ...request, validateOnly: true });
    expect(checked).toMatchObject({ name: "", kind: "projection", spec: { maxSubjects: 3, neighbours: 10 } });
    const [one, again, other] = [
      await projected(request),
      await projected(request),
      await projected({ ...request, seed: 3n }),
    ];
    expect(one).toMatchObject({ modelVersion: CLASSIFIER, subjects: 3 });
    expect(one.frames).toHaveLength(3 * FRAMES);
    expect(one.perplexity).toBeCloseTo((3 * FRAMES - 1) / 3, 12);
    expect(again.frames).toEqual(one.frames);
    expect(again.name).not.toBe(one.name);
    expect(other.frames).not.toEqual(one.frames);
  });

  it("is of the frames that a training held out, and tells how far it is", async () => {
    const encoder = { variant: "micro", imageSize: 32, patchSize: 16 };
    const optimization = { epochs: 1, warmupEpochs: 0, batchSize: 8 };
    const value = { dataset: FACES, model: "models/own", encoder, optimization, augmentation: "none" };
    const training = await client.trainer.createTrainingJob({ training: { case: "fineTune", value } });
    const { result } = await waitForJob(client, training.name);
    const modelVersion = result!.modelVersion as string;
    const { split } = JSON.parse((await client.models.getModelVersion({ name: modelVersion })).cardJson);

    const request = { requestId: "0d1c7d9c-6f86-4a8e-8d09-1f4f5d1d9a01", modelVersion };
    const job = await create(request);
    expect((await create(request)).name).toBe(job.name);
    const events: JobEvent["event"][] = [];
    for await (const { event } of watchJob(client, job.name)) events.push(event);
    const phases = events.flatMap((event) => (event.case === "progress" ? event.value.phase : []));
    expect(new Set(phases)).toEqual(new Set(["predicting", "projecting"]));
    const fractions = events.flatMap((event) => (event.case === "progress" ? event.value.fraction : []));
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    const divergences = events.flatMap((event) => (event.case === "metrics" ? event.value.values.klDivergence : []));
    const name = `projections/${job.name.slice("jobs/".length)}`;
    const artifacts = events.flatMap((event) => (event.case === "artifact" ? event.value : []));
    expect(artifacts).toMatchObject([{ name, kind: "projection" }]);

    const projection = await client.evaluator.getProjection({ name });
    expect(projection.split).toBe(Split.HELD_OUT);
    expect(new Set(projection.frames.map(({ subject }) => subject))).toEqual(new Set(split.testSubjects));
    expect(divergences.at(-1)).toBe(projection.klDivergence);
  });

  it("is a page that is coloured by what is chosen in it, and asks for nothing", async () => {
    const { html, frames, actionUnits } = await projected({}, [ReportFormat.HTML]);
    const path = join(folder.path, "page.html");
    await writeFile(path, html);
    const browser = await startChromium();
    try {
      const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(pathToFileURL(path).href);
      const styles = (property: string) =>
        page.evaluate(
          `[...document.querySelectorAll(".points path")].map((mark) => getComputedStyle(mark).${property})`,
        ) as Promise<string[]>;
      const colours = () => styles("fill");
      const bySubject = Map.groupBy(await colours(), (_, i) => frames[i]!.subject);
      expect(new Set([...bySubject.values()].map((each) => new Set(each).size))).toEqual(new Set([1]));
      expect(new Set([...bySubject.values()].map(([colour]) => colour)).size).toBe(SUBJECTS);

      const unit = actionUnits.find(({ all }) => all!.frames > 0)!.actionUnit;
      await page.getByLabel(`AU${unit}`, { exact: true }).check();
      const byUnit = await colours();
      const isPresent = frames.map(({ present }) => present.includes(unit));
      const of = (is: boolean) => new Set(byUnit.filter((_, i) => isPresent[i] === is));
      expect([of(true).size, of(false).size]).toEqual([1, 1]);
      expect(of(true)).not.toEqual(of(false));
      expect(
        await page
          .getByText(`present in ${isPresent.filter(Boolean).length}`)
          .filter({ visible: true })
          .count(),
      ).toBe(1);

      const { subject } = frames[0]!;
      await page.getByLabel(subject, { exact: true }).check();
      const opacities = await styles("opacity");
      expect(opacities.map((opacity) => opacity === "1")).toEqual(frames.map((frame) => frame.subject === subject));
      expect(asked).toEqual([pathToFileURL(path).href]);
    } finally {
      await browser.close();
    }
  });
});
