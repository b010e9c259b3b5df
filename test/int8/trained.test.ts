import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDuchenneClient, type DuchenneClient, importModel, streamFrames, waitForJob } from "@duchenne/client";
import { FACE_OVAL_CONVENTION, openDataset, type SynthFacsOptions } from "@duchenne/data";
import { ModelPrecision } from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { ACTION_UNITS, CALIBRATION_FACES, UNSEEN_FACES } from "./faces.ts";

/** What int8 may cost. */
const MAX_MEAN_DIFFERENCE = 0.01;
const MAX_AUC_DIFFERENCE = 0.005;
/** Below, the detector has learned too little for its AUC to tell anything. */
const LEARNED_AUC = 0.75;

const SOURCE = "models/trained/versions/1";
const QUANTIZED = "models/trained/versions/2";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", join(folder.path, "data"));
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  await synthesize("calibration", CALIBRATION_FACES);
  await synthesize("unseen", UNSEEN_FACES);
  const detector = fileURLToPath(new URL("detector.safetensors", import.meta.url));
  const { modelVersion } = await importModel(client, detector, {
    model: "models/trained",
    actionUnits: ACTION_UNITS,
    boxConvention: FACE_OVAL_CONVENTION,
    heads: 3,
  });
  expect(modelVersion!.name).toBe(SOURCE);
  const request = { modelVersion: SOURCE, dataset: "datasets/calibration" };
  const { result } = await waitForJob(client, (await client.models.quantizeModel(request)).name);
  expect(result).toMatchObject({ modelVersion: QUANTIZED });
}, 300_000);
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

async function synthesize(datasetId: string, { seed, protocol: _, ...options }: SynthFacsOptions): Promise<void> {
  const { name } = await client.datasets.synthesizeDataset({ datasetId, seed: BigInt(seed), ...options });
  await waitForJob(client, name);
}

async function macroAucOf(modelVersion: string): Promise<number> {
  const request = { modelVersion, dataset: "datasets/unseen", bootstrapResamples: 20 };
  const { result } = await waitForJob(client, (await client.evaluator.createEvaluation(request)).name);
  const report = await client.evaluator.getReport({ name: result!.evaluation as string });
  return report.macroAuc!.value!;
}

/** What a version answers, live, to crops of people that neither training nor calibration saw, [frames][action units]. */
async function liveScores(model: string) {
  const { directory } = await client.datasets.getDataset({ name: "datasets/unseen" });
  const { samples } = await openDataset(directory);
  async function* crops() {
    for (const { imagePath } of samples) yield { image: await readFile(imagePath), imageIsCrop: true };
  }
  const scores: number[][] = [];
  let precision: ModelPrecision | undefined;
  for await (const answer of streamFrames(client, crops(), { model })) {
    if (answer.case === "configured") precision = answer.value.model?.precision;
    if (answer.case === "result") scores.push(answer.value.faces[0]!.scores.map(({ score }) => score));
  }
  expect(scores).toHaveLength(samples.length);
  return { scores, precision };
}

describe("a trained detector in int8", () => {
  it("answers frames that it was not calibrated on as in float32, says its card", async () => {
    const { cardJson } = await client.models.getModelVersion({ name: QUANTIZED });
    const { floatLayers, measured } = JSON.parse(cardJson).quantization;
    expect(floatLayers).toEqual([]);
    expect(measured.meanDifference).toBeGreaterThan(0);
    expect(measured.meanDifference).toBeLessThanOrEqual(MAX_MEAN_DIFFERENCE);
    expect(Math.abs(measured.int8.macroAuc - measured.float32.macroAuc)).toBeLessThanOrEqual(MAX_AUC_DIFFERENCE);
  });

  it("tells action units apart as well as in float32, on people that nothing saw before", async () => {
    const [float32, int8] = [await macroAucOf(SOURCE), await macroAucOf(QUANTIZED)];
    expect(float32).toBeGreaterThan(LEARNED_AUC);
    expect(Math.abs(int8 - float32)).toBeLessThanOrEqual(MAX_AUC_DIFFERENCE);
  }, 120_000);

  it("is scored so in live streams, which say so", async () => {
    const float32 = await liveScores(SOURCE);
    await client.models.setAlias({ name: "models/trained@live", version: QUANTIZED });
    const int8 = await liveScores("models/trained@live");
    expect([float32.precision, int8.precision]).toEqual([ModelPrecision.FLOAT32, ModelPrecision.INT8]);
    const differences = int8.scores.flatMap((row, i) =>
      row.map((score, unit) => Math.abs(score - float32.scores[i]![unit]!)),
    );
    const mean = differences.reduce((sum, each) => sum + each, 0) / differences.length;
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThanOrEqual(MAX_MEAN_DIFFERENCE);
  }, 120_000);
});
