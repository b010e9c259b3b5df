import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, exportModel, waitForJob } from "@duchenne/client";
import { ExportFormat } from "@duchenne/proto";
import { sessionOptions } from "@duchenne/vision";
import { InferenceSession } from "onnxruntime-node";
import { startServer } from "../e2e/server-process.ts";
import { quantile, runStream, stageMs } from "./detect-load.ts";
import type { Soak } from "./detect-soak.ts";
import { type RawModel, rawMs } from "./raw-runtime.ts";

/** A drawn model in float32. */
export interface Int8Model extends RawModel {
  readonly variant: string;
  readonly bring: Soak["bring"];
  /** A crop as it is sent. */
  readonly jpeg: Buffer;
}

const BATCHES = [1, 8];

/**
 * Times models in int8 beside float32: ONNX Runtime alone, both in turn, and the scores of one stream through a server that
 * also quantised them.
 */
export async function int8AgainstFloat(
  models: readonly Int8Model[],
  { frames, threads, folder }: { readonly frames: number; readonly threads: number; readonly folder: string },
): Promise<void> {
  const server = await startServer("standalone", join(folder, "int8"), {
    args: ["--max-import-bytes", String(2 ** 31)],
  });
  const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  try {
    const faces = { datasetId: "faces", subjects: 4, framesPerSubject: 8, imageSize: 96 };
    await waitForJob(client, (await client.datasets.synthesizeDataset(faces)).name);
    console.log("int8 against float32, milliseconds: median of float32, of int8, and how many times faster");
    console.log(`model     ${BATCHES.map((batch) => `raw, batch ${batch}`.padEnd(24)).join("")}served, one by one`);
    for (const model of models) {
      const [float32, int8] = await bothVersions(client, model);
      const file = await exportModel(client, { name: int8, format: ExportFormat.ONNX }, folder);
      const session = await InferenceSession.create(file, sessionOptions(threads));
      let line = model.variant.padEnd(10);
      for (const batch of BATCHES) {
        const runs = Math.max(Math.round(frames / batch), 3);
        const times = { float32: [] as number[], int8: [] as number[] };
        // In turn, so that a machine that slows down slows both down.
        for (let round = 0; round < 3; round++) {
          times.float32.push(...(await rawMs(model, batch, Math.ceil(runs / 3))));
          times.int8.push(...(await rawMs({ ...model, session }, batch, Math.ceil(runs / 3))));
        }
        line += told(times.float32, times.int8).padEnd(24);
      }
      await session.release();
      const served = async (name: string) => {
        const crops = Array.from({ length: frames }, () => ({ image: model.jpeg, imageIsCrop: true }));
        const { results } = await runStream(client, crops, { model: name }, { oneByOne: true });
        return stageMs(results, "inference");
      };
      console.log(line + told(await served(float32), await served(int8)));
    }
    console.log();
  } finally {
    client.close();
    await server.end();
  }
}

/** A drawn model's version, and that in int8. Nothing is asked of how near it is: drawn weights answer nothing. */
async function bothVersions(client: DuchenneClient, { bring }: Int8Model): Promise<[string, string]> {
  const modelVersion = await bring(client);
  const request = {
    modelVersion,
    dataset: "datasets/faces",
    calibrationFrames: 8,
    checkFrames: 8,
    maxMeanDifference: 1,
  };
  const { result } = await waitForJob(client, (await client.models.quantizeModel(request)).name);
  return [modelVersion, result!.modelVersion as string];
}

function told(float32: readonly number[], int8: readonly number[]): string {
  const [before, after] = [quantile(float32, 0.5), quantile(int8, 0.5)];
  return `${before.toFixed(2)}  ${after.toFixed(2)}  ${(before / after).toFixed(2)}x`;
}
