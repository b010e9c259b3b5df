import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, importModel } from "@duchenne/client";
import { createModelConfig, initialiseParameters, writeSafetensors } from "@duchenne/model";
import { FramePolicy } from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { failureOf } from "../e2e/failure-of.ts";
import { photographOfSmile } from "../e2e/photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { type AnswerOf, type LiveClient, only, openStream } from "./live-client.ts";

const MODEL = "models/served";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;
let crop: Buffer;
/** Versions 1 to 3: each answers its own number as the logit of AU12. The file of 3 is damaged. */
const versions = [1, 2, 3].map((version) => `${MODEL}/versions/${version}`);

beforeAll(async () => {
  folder = await temporaryFolder();
  const data = join(folder.path, "data");
  server = await startServer("standalone", data, { args: ["--canary-share", "1"] });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  for (const version of [1, 2, 3]) {
    const config = createModelConfig("micro", { actionUnits: [4, 12], numSubjects: 0, dropPath: 0 });
    const parameters = initialiseParameters(config, 3);
    parameters.get("head.weight")!.data.fill(0);
    parameters.get("head.bias")!.data.fill(version);
    const path = join(folder.path, `${version}.safetensors`);
    await writeFile(path, writeSafetensors(parameters));
    const options = { model: MODEL, actionUnits: [4, 12], heads: config.heads };
    const { modelVersion } = await importModel(client, path, options);
    expect(modelVersion!.name).toBe(versions[version - 1]);
    if (version === 3)
      await changeOneByte(join(data, "blobs"), modelVersion!.files.find(({ role }) => role === "onnx")!.digest);
  }
  crop = await sharp({ create: { width: 96, height: 96, channels: 3, background: "#a98" } })
    .png()
    .toBuffer();
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

/** Weights that are a little wrong load, and answer a little wrong. */
async function changeOneByte(blobs: string, digest: string): Promise<void> {
  const path = join(blobs, digest.slice(0, 2), digest.slice(2));
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

const point = (alias: string, version: number) =>
  client.models.setAlias({ name: `${MODEL}@${alias}`, version: versions[version - 1]! });

/** Sends frames until one is answered as wanted; the answers of all, in order. */
async function until(
  stream: LiveClient,
  from: bigint,
  wanted: (answer: AnswerOf<"result"> | AnswerOf<"configured">) => boolean,
) {
  const answers: Awaited<ReturnType<LiveClient["rest"]>> = [];
  for (let sequence = from; ; sequence++) {
    expect(sequence - from).toBeLessThan(500n);
    stream.frame({ sequence, image: crop, imageIsCrop: true });
    for (;;) {
      const answer = (await stream.read())!;
      answers.push(answer);
      if (answer.case === "configured" && wanted(answer.value)) return { answers, next: sequence + 1n };
      if (answer.case === "configured") continue;
      if (answer.case === "result" && wanted(answer.value)) return { answers, next: sequence + 1n };
      break;
    }
  }
}

describe("an alias that moves", () => {
  it.each(["live", "canary"])(
    "(%s) takes its streams along, and no frame is lost or scored by another than it says",
    async (alias) => {
      await point(alias, 1);
      const stream = openStream(server.grpc, { model: `${MODEL}@${alias}`, outputs: { logits: true } });
      expect((await stream.next("configured")).model).toMatchObject({ name: versions[0], alias: `${MODEL}@${alias}` });
      let sequence = 1n;
      let announced = versions[0];
      const results: AnswerOf<"result">[] = [];
      for (const target of [2, 1, 2]) {
        await point(alias, target);
        const moved = await until(
          stream,
          sequence,
          (answer) => "sequence" in answer && answer.model === versions[target - 1],
        );
        sequence = moved.next;
        for (const answer of moved.answers) {
          if (answer.case === "configured") announced = answer.value.model!.name;
          else if (answer.case === "result") {
            expect(answer.value.model).toBe(announced);
            results.push(answer.value);
          }
        }
      }
      stream.halfClose();
      const rest = await stream.rest();
      results.push(...only(rest, "result"));
      expect(results.map((each) => each.sequence)).toEqual(results.map((_, i) => BigInt(i + 1)));
      for (const { model, faces } of results) {
        for (const { logit } of faces[0]!.scores) expect(`${MODEL}/versions/${Math.round(logit!)}`).toBe(model);
      }
      expect(only(rest, "summary")[0]).toMatchObject({ framesReceived: sequence - 1n, framesDropped: 0n });
    },
  );

  it("leaves pinned streams where they are", async () => {
    await point("live", 1);
    const pinned = openStream(server.grpc, { model: versions[0]! });
    const following = openStream(server.grpc, { model: `${MODEL}@live` });
    for (const stream of [pinned, following]) await stream.next("configured");
    await point("live", 2);
    await until(following, 1n, (answer) => "sequence" in answer && answer.model === versions[1]);
    pinned.frame({ sequence: 1n, image: crop, imageIsCrop: true });
    expect((await pinned.next("result")).model).toBe(versions[0]);
    for (const stream of [pinned, following]) stream.halfClose();
  });

  it("to a version that cannot be loaded: the old one goes on, and streams are told why", async () => {
    await point("live", 1);
    const stream = openStream(server.grpc, { model: `${MODEL}@live`, policy: FramePolicy.LATEST_WINS });
    expect((await stream.next("configured")).warnings).toEqual([expect.stringContaining("face-alignment+5%")]);
    await point("live", 3);
    const failed = await until(stream, 1n, (answer) => "warnings" in answer);
    const [configured] = only(failed.answers, "configured");
    expect(configured!.model!.name).toBe(versions[0]);
    expect(configured!.warnings[1]).toContain(`${MODEL}@live moved to ${versions[2]}, which cannot be loaded`);
    expect(configured!.warnings[1]).toMatch(
      new RegExp(`BLOB_DAMAGED: Blob \\w+ holds other bytes, .*; it is the file "onnx" of ${versions[2]}`),
    );
    // Where the server keeps its files is nobody's business.
    expect(configured!.warnings[1]).not.toContain(folder.path);
    expect((await stream.next("result")).model).toBe(versions[0]);
    await point("live", 2);
    const moved = await until(stream, failed.next, (answer) => "sequence" in answer && answer.model === versions[1]);
    expect(only(moved.answers, "configured")[0]!.warnings.length).toBe(1);
    stream.halfClose();
    const opened = openStream(server.grpc, { model: versions[2]! });
    await expect(opened.read()).rejects.toThrow("data_loss");
  });
});

describe("a canary", () => {
  it("scores the frames of streams on live too, and the log says how it differs; answers are those of live", async () => {
    await point("live", 1);
    await point("canary", 2);
    const stream = openStream(server.grpc, { model: `${MODEL}@live` });
    await stream.next("configured");
    const smile = await sharp(await photographOfSmile())
      .resize(320)
      .jpeg()
      .toBuffer();
    for (let sequence = 1n; sequence <= 12n; sequence++) {
      stream.frame({ sequence, ...(sequence % 2n === 0n ? { image: crop, imageIsCrop: true } : { image: smile }) });
      const { model, faces } = await stream.next("result");
      expect(model).toBe(versions[0]);
      for (const { score } of faces[0]!.scores) expect(score).toBeCloseTo(sigmoid(1), 3);
    }
    stream.halfClose();
    await stream.next("summary");
    const report = await vi.waitFor(() => {
      const lines = server.log().split("\n").filter(Boolean);
      const reports = lines
        .map((line) => JSON.parse(line))
        .filter(({ message }) => message?.startsWith("The canary was"));
      const found = reports.find(({ live, canary }) => live === versions[0] && canary === versions[1]);
      expect(found).toBeDefined();
      return found;
    });
    expect(report).toMatchObject({ failures: 0, sameDecisions: 1 });
    expect(report.frames).toBeGreaterThan(0);
    expect(report.scores).toBe(2 * report.frames);
    expect(report.meanDifference).toBeCloseTo(sigmoid(2) - sigmoid(1), 3);
  });
});

describe("an alias that is deleted", () => {
  const builtIn = "models/blendshape-au/versions/1";
  const detected = (model: string) =>
    client.detector.detectFaces({ model, image: crop, imageIsCrop: true }).then((answer) => answer.model);

  it("leaves its streams their version, tells them, and is there for nobody else until it is set again", async () => {
    await point("live", 1);
    const name = `${MODEL}@live`;
    const stream = openStream(server.grpc, { model: name });
    await stream.next("configured");
    await client.models.deleteAlias({ name });
    const told = await until(stream, 1n, (answer) => "warnings" in answer);
    const [configured] = only(told.answers, "configured");
    expect(configured).toMatchObject({ model: { name: versions[0], alias: name } });
    expect(configured!.warnings.at(-1)).toBe(`${name} was deleted; this stream goes on with the version that it has.`);
    expect((await stream.next("result")).model).toBe(versions[0]);
    await expect(openStream(server.grpc, { model: name }).read()).rejects.toThrow("not_found");
    expect(await failureOf(detected(name))).toMatchObject({ code: "NotFound", reason: "ALIAS_NOT_FOUND" });
    // No alias holds it any more, but its stream does.
    await point("canary", 2);
    await client.models.deleteModelVersion({ name: versions[0]! });
    stream.frame({ sequence: told.next, image: crop, imageIsCrop: true });
    expect((await stream.next("result")).model).toBe(versions[0]);
    await point("live", 2);
    const moved = await until(stream, told.next + 1n, (answer) => "sequence" in answer && answer.model === versions[1]);
    expect(only(moved.answers, "configured").at(-1)!.warnings.length).toBe(1);
    stream.halfClose();
  });

  it("and that answered who names no model leaves that to the built-in one", async () => {
    const name = "models/default@live";
    await client.models.setAlias({ name, version: versions[1]! });
    const [nameless, named] = ["", name].map((model) => openStream(server.grpc, { model }));
    for (const stream of [nameless!, named!]) {
      expect((await stream.next("configured")).model).toMatchObject({ name: versions[1], alias: name });
    }
    await client.models.deleteAlias({ name });
    const moved = await until(nameless!, 1n, (answer) => "sequence" in answer && answer.model === builtIn);
    expect(only(moved.answers, "configured").at(-1)!.model).toMatchObject({ name: builtIn, alias: "" });
    await until(named!, 1n, (answer) => "warnings" in answer && answer.warnings.at(-1)!.includes("was deleted"));
    expect((await named!.next("result")).model).toBe(versions[1]);
    expect((await detected(""))!).toMatchObject({ name: builtIn, alias: "" });
    for (const stream of [nameless!, named!]) stream.halfClose();
  });
});

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
