import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  DatasetService,
  DetectorService,
  EvaluatorService,
  JobService,
  ModelService,
  TrainerService,
} from "@duchenne/proto";
import { Health, reflectionV1 } from "@duchenne/proto/rpc";
import { cacheDirectory } from "@duchenne/provision";
import { describe, expect, it } from "vitest";
import { photographOfSmile } from "./photograph.ts";
import { startServer, temporaryFolder } from "./server-process.ts";

describe("the detector", () => {
  it("starts and detects where TensorFlow was never provisioned", async () => {
    await using folder = await temporaryFolder();
    // A cache with the face models and nothing else.
    const cache = join(folder.path, "cache");
    await mkdir(cache);
    await symlink(join(cacheDirectory(), "face-models"), join(cache, "face-models"));
    const server = await startServer("detector", join(folder.path, "data"), { env: { DUCHENNE_CACHE: cache } });
    try {
      for (const transport of [server.grpc, server.connect]) {
        const { faces, model } = await createClient(DetectorService, transport).detectFaces({
          image: await photographOfSmile(),
        });
        expect(model?.kind).toBe("blendshape-au");
        const smile = faces[0]!.scores.find(({ actionUnit, side }) => actionUnit === 12 && side === 0)!;
        expect(smile).toMatchObject({ present: true });
      }
    } finally {
      await server.end();
    }
  });

  it("says what is missing when the face models are not there", async () => {
    await using folder = await temporaryFolder();
    const start = startServer("detector", join(folder.path, "data"), {
      env: { DUCHENNE_CACHE: join(folder.path, "empty") },
    });
    await expect(start).rejects.toThrow('Run "npm run setup".');
  });
});

describe("the trainer", () => {
  it("refuses to train where TensorFlow was never provisioned, and says what to install", async () => {
    await using folder = await temporaryFolder();
    // Faces are drawn from the mesh that set-up fetches; TensorFlow alone is missing.
    const cache = join(folder.path, "cache");
    await mkdir(cache);
    await symlink(join(cacheDirectory(), "canonical-face"), join(cache, "canonical-face"));
    const env = { DUCHENNE_CACHE: cache };
    const server = await startServer("trainer", join(folder.path, "data"), { env });
    try {
      const { synthesizeDataset } = createClient(DatasetService, server.grpc);
      const job = await synthesizeDataset({ datasetId: "faces", subjects: 3, framesPerSubject: 40, imageSize: 64 });
      for await (const _ of createClient(JobService, server.grpc).watchJob({ name: job.name }));
      const create = createClient(TrainerService, server.grpc).createTrainingJob({
        training: {
          case: "fineTune",
          value: { dataset: "datasets/faces", model: "models/m", optimization: { batchSize: 8 } },
        },
      });
      const error = await create.then(
        () => undefined,
        (thrown: unknown) => ConnectError.from(thrown),
      );
      expect(error?.code).toBe(Code.FailedPrecondition);
      expect(error?.rawMessage).toContain("apt-get install g++");
    } finally {
      await server.end();
    }
  });
});

describe("three processes on one folder", () => {
  it("answer health and reflection, and share the store", async () => {
    await using folder = await temporaryFolder();
    const [detector, trainer, evaluator] = await Promise.all(
      (["detector", "trainer", "evaluator"] as const).map((name) => startServer(name, folder.path)),
    );
    try {
      const servers = { detector: detector!, trainer: trainer!, evaluator: evaluator! };
      const expected = {
        detector: [DetectorService, JobService, ModelService],
        trainer: [TrainerService, JobService, ModelService],
        evaluator: [EvaluatorService, JobService, ModelService],
      };
      for (const [name, server] of Object.entries(servers)) {
        const names = await reflectedServices(server.grpc);
        for (const service of expected[name as keyof typeof expected]) {
          expect(names, name).toContain(service.typeName);
          const { status } = await createClient(Health, server.grpc).check({ service: service.typeName });
          expect(status, `${name} ${service.typeName}`).toBe(1);
        }
      }
      const [models] = (await createClient(ModelService, servers.trainer.grpc).listModels({})).models;
      expect(models).toMatchObject({ name: "models/blendshape-au", latestVersion: "models/blendshape-au/versions/1" });
      // An alias moved in one process moves the others.
      const alias = { name: "models/default@live", version: "models/blendshape-au/versions/1" };
      await createClient(ModelService, servers.trainer.grpc).setAlias(alias);
      const found = await createClient(ModelService, servers.detector.connect).getModelVersion({ name: alias.name });
      expect(found.name).toBe(alias.version);
    } finally {
      for (const server of [detector, trainer, evaluator]) await server?.end();
    }
  });
});

async function reflectedServices(transport: Transport): Promise<string[]> {
  async function* requests() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
  }
  const names: string[] = [];
  const client = createClient(reflectionV1.ServerReflection, transport);
  for await (const { messageResponse } of client.serverReflectionInfo(requests())) {
    if (messageResponse.case === "listServicesResponse") {
      names.push(...messageResponse.value.service.map(({ name }) => name));
    }
  }
  return names;
}
