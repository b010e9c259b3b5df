import { fileURLToPath } from "node:url";
import { createDuchenneClient, type DuchenneClient, importModel, waitForJob } from "@duchenne/client";
import { DatasetProtocol, type Job, JobState } from "@duchenne/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

const FACES = "datasets/faces";
const DETECTOR = "models/published/versions/1";
const BUILT_IN = "models/blendshape-au/versions/1";
const LIVE = "models/published@live";

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: 6, framesPerSubject: 16, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  const weights = fileURLToPath(new URL("../reference/fixtures/weights/detector.pth", import.meta.url));
  await importModel(client, weights, { model: "models/published", protocol: DatasetProtocol.BP4D, heads: 3 });
  await client.models.setAlias({ name: LIVE, version: DETECTOR });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

// No machine has it: what is asked for waits.
const jobOptions = { resources: { nowhere: 1 } };
const [augmentation, optimization] = ["none", { epochs: 1, warmupEpochs: 0, batchSize: 8 }];

/** Every method that makes a job of a version, with an alias of it. */
const methods: readonly (readonly [string, (requestId: string) => Promise<Job>])[] = [
  [
    "evaluation",
    (requestId) => client.evaluator.createEvaluation({ requestId, modelVersion: LIVE, dataset: FACES, jobOptions }),
  ],
  [
    "projection",
    (requestId) => client.evaluator.createProjection({ requestId, modelVersion: LIVE, dataset: FACES, jobOptions }),
  ],
  [
    "quantization",
    (requestId) => client.models.quantizeModel({ requestId, modelVersion: LIVE, dataset: FACES, jobOptions }),
  ],
  [
    "training from it",
    (requestId) => {
      const encoder = { initialModelVersion: LIVE };
      const value = { dataset: FACES, model: "models/tuned", encoder, augmentation, optimization };
      return client.trainer.createTrainingJob({ requestId, training: { case: "fineTune", value }, jobOptions });
    },
  ],
  [
    "cross-validation from it",
    (requestId) => {
      const split = { folds: 2, validationFraction: 0 };
      const encoder = { initialModelVersion: LIVE };
      const fineTune = { dataset: FACES, model: "models/folds", encoder, augmentation, optimization, split };
      return client.evaluator.createCrossValidation({ requestId, fineTune, jobOptions });
    },
  ],
  [
    "probe of it",
    (requestId) => {
      const training = { case: "linearProbe" as const, value: { dataset: FACES, modelVersion: LIVE } };
      return client.trainer.createTrainingJob({ requestId, training, jobOptions });
    },
  ],
];

it("answers the same jobs when the alias that they were asked for has moved, and when their version is gone", async () => {
  const made = new Map<string, string>();
  for (const [what, ask] of methods) {
    const { name, state } = await ask(what.replaceAll(" ", "-"));
    expect(state, what).toBe(JobState.QUEUED);
    made.set(what, name);
  }
  const repeated = async () => {
    for (const [what, ask] of methods) {
      const { name } = await ask(what.replaceAll(" ", "-"));
      expect(name, what).toBe(made.get(what));
    }
  };
  await client.models.setAlias({ name: LIVE, version: BUILT_IN });
  await repeated();
  expect((await failureOf(methods[1]![1]("a-new-one"))).reason).toBe("NOT_PROJECTABLE");

  for (const name of made.values()) await client.jobs.cancelJob({ name });
  await client.models.deleteModelVersion({ name: DETECTOR });
  await repeated();
});
