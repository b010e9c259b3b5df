// `npm run bench:detect`: the real server process, driven over gRPC from this one. Trained models are drawn, not trained:
// only their speed is measured. Raw ONNX Runtime runs the same crops in this process while the server rests.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDuchenneClient, importModel } from "@duchenne/client";
import { normaliseImage } from "@duchenne/data";
import {
  createModelConfig,
  exportOnnx,
  initialiseParameters,
  type VitVariant,
  writeSafetensors,
} from "@duchenne/model";
import { FramePolicy } from "@duchenne/proto";
import { decodeImage, sessionOptions } from "@duchenne/vision";
import { InferenceSession } from "onnxruntime-node";
import sharp from "sharp";
import { photographOfSmile } from "../e2e/photograph.ts";
import { startServer, temporaryFolder } from "../e2e/server-process.ts";
import { int8AgainstFloat } from "./detect-int8.ts";
import { camera, quantile, runStream, stageMs } from "./detect-load.ts";
import { type Soak, soak } from "./detect-soak.ts";
import { processUsage } from "./process-usage.ts";
import { type RawModel, rawMs } from "./raw-runtime.ts";

const ACTION_UNITS = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24];
const FRAME_RATE_HZ = 30;
const { values } = parseArgs({
  options: {
    models: { type: "string", default: "micro,tiny,small,base" },
    frames: { type: "string", default: "60" },
    streams: { type: "string", default: "1,4,16,64" },
    seconds: { type: "string", default: "10" },
    "soak-minutes": { type: "string", default: "10" },
    parts: { type: "string", default: "alone,paced,saturation,int8,soak" },
  },
});
const frames = Number(values.frames);
const seconds = Number(values.seconds);
const threads = availableParallelism();

/** A drawn model on the server, and the same file here. */
interface BenchModel extends RawModel {
  readonly variant: VitVariant;
  readonly name: string;
  /** Brings it to another server. */
  readonly bring: Soak["bring"];
  /** The crop that `input` is of, as it is sent. */
  readonly jpeg: Buffer;
}

await using folder = await temporaryFolder();
const args = ["--max-import-bytes", String(2 ** 31), "--max-streams-per-peer", "256"];
const server = await startServer("detector", join(folder.path, "data"), { args });
const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
try {
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${threads} cores, Node ${process.version}`);
  console.log(`instructions: ${await instructions()}\n`);
  const models: BenchModel[] = [];
  for (const variant of values.models.split(",").filter(Boolean) as VitVariant[]) models.push(await prepare(variant));
  const parts = new Set(values.parts.split(","));
  if (parts.has("alone")) await oneStream(models);
  if (parts.has("paced")) await pacedStreams();
  if (parts.has("saturation")) await saturation(models.at(-1)!);
  if (parts.has("int8")) await int8AgainstFloat(models, { frames, threads, folder: folder.path });
  const minutes = Number(values["soak-minutes"]);
  const [first] = models;
  if (parts.has("soak") && minutes > 0 && first !== undefined) {
    const { variant, jpeg, bring } = first;
    await soak({ minutes, frame: { image: jpeg, imageIsCrop: true }, label: variant, bring }, folder.path);
  }
} finally {
  client.close();
  await server.end();
}

async function instructions(): Promise<string> {
  const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const names = ["avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16"];
  return names.filter((name) => new RegExp(`\\b${name}\\b`).test(text)).join(" ") || "unknown";
}

async function prepare(variant: VitVariant): Promise<BenchModel> {
  const config = createModelConfig(variant, { actionUnits: ACTION_UNITS, numSubjects: 0, dropPath: 0 });
  const parameters = initialiseParameters(config, 1);
  const path = join(folder.path, `${variant}.safetensors`);
  await writeFile(path, writeSafetensors(parameters));
  const options = { model: `models/${variant}`, actionUnits: ACTION_UNITS, heads: config.heads };
  const bring: Soak["bring"] = async (to) => (await importModel(to, path, options)).modelVersion!.name;
  const name = await bring(client);
  const onnx = join(folder.path, `${variant}.onnx`);
  await writeFile(onnx, exportOnnx(config, parameters));
  const session = await InferenceSession.create(onnx, sessionOptions(threads));
  const side = config.imageSize;
  const jpeg = await sharp(await photographOfSmile())
    .resize(side, side, { fit: "cover" })
    .jpeg()
    .toBuffer();
  const input = normaliseImage(await decodeImage(jpeg));
  return { variant, name, bring, session, jpeg, input, side };
}

async function oneStream(models: readonly BenchModel[]): Promise<void> {
  console.log("One stream of crops, one by one, milliseconds: median (p99)");
  console.log("model     total            decode    queue     score            raw              score/raw  total/raw");
  for (const model of models) {
    const crops = repeat({ image: model.jpeg, imageIsCrop: true }, frames);
    const { results } = await runStream(client, crops, { model: model.name }, { oneByOne: true });
    const raw = await rawMs(model, 1, frames);
    const ms = (stage: Parameters<typeof stageMs>[1]) => stageMs(results, stage);
    const pair = (times: number[]) =>
      `${quantile(times, 0.5).toFixed(2)} (${quantile(times, 0.99).toFixed(2)})`.padEnd(17);
    const ratio = (times: number[]) => (quantile(times, 0.5) / quantile(raw, 0.5)).toFixed(2).padEnd(11);
    const short = (times: number[]) => quantile(times, 0.5).toFixed(2).padEnd(10);
    console.log(
      model.variant.padEnd(10) +
        pair(ms("total")) +
        short(ms("decode")) +
        short(ms("queue")) +
        pair(ms("inference")) +
        pair(raw) +
        ratio(ms("inference")) +
        ratio(ms("total")),
    );
  }
  console.log();
}

async function pacedStreams(): Promise<void> {
  console.log(`Streams of ${FRAME_RATE_HZ} frames/s for ${seconds} s, LATEST_WINS, built-in model with face finding`);
  console.log("streams   answered/s   dropped/s   of sent   fairness   median ms   p99 ms   CPU     RSS MB");
  const image = await sharp(await photographOfSmile())
    .resize(480)
    .jpeg()
    .toBuffer();
  for (const count of values.streams.split(",").map(Number)) {
    const before = await processUsage(server.pid);
    // What is answered after the cameras stopped had the server for itself, or waited in a queue that nothing fills.
    const untilMs = before.atMs + 1000 * seconds;
    const stopped = new Promise((resolve) => setTimeout(resolve, untilMs - performance.now()));
    const streams = Array.from({ length: count }, () => {
      const configuration = { policy: FramePolicy.LATEST_WINS, maxFaces: 1 };
      return runStream(client, camera({ image }, FRAME_RATE_HZ, untilMs), configuration, { untilMs });
    });
    await stopped;
    const after = await processUsage(server.pid);
    const outcomes = await Promise.all(streams);
    const answered = outcomes.map(({ results }) => results.length);
    const total = answered.reduce((sum, value) => sum + value, 0);
    const elapsed = (after.atMs - before.atMs) / 1000;
    const times = outcomes.flatMap(({ results }) => stageMs(results, "total"));
    console.log(
      String(count).padEnd(10) +
        (total / elapsed).toFixed(1).padEnd(13) +
        (outcomes.reduce((sum, { dropped }) => sum + dropped, 0) / elapsed).toFixed(1).padEnd(12) +
        `${((100 * total) / (count * seconds * FRAME_RATE_HZ)).toFixed(0)} %`.padEnd(10) +
        ((Math.min(...answered) * count) / total).toFixed(2).padEnd(11) +
        quantile(times, 0.5).toFixed(1).padEnd(12) +
        quantile(times, 0.99).toFixed(1).padEnd(9) +
        `${((100 * (after.cpuSeconds - before.cpuSeconds)) / elapsed).toFixed(0)} %`.padEnd(8) +
        after.rssMb.toFixed(0),
    );
  }
  console.log();
}

async function saturation(model: BenchModel): Promise<void> {
  let best = { batch: 0, perSecond: 0 };
  for (const batch of [1, 2, 4, 8, 16]) {
    const perSecond = (1000 * batch) / quantile(await rawMs(model, batch, 5), 0.5);
    if (perSecond > best.perSecond) best = { batch, perSecond };
  }
  const streams = 8;
  const startedMs = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: streams }, () =>
      runStream(client, repeat({ image: model.jpeg, imageIsCrop: true }, frames), { model: model.name }),
    ),
  );
  const total = outcomes.reduce((sum, { results }) => sum + results.length, 0);
  const perSecond = (1000 * total) / (performance.now() - startedMs);
  console.log(`Saturation, ${model.variant}, ${streams} streams of crops: ${perSecond.toFixed(1)} faces/s`);
  console.log(
    `raw at its best batch (${best.batch}): ${best.perSecond.toFixed(1)} faces/s; served/raw ${(perSecond / best.perSecond).toFixed(2)}\n`,
  );
}

function* repeat<T>(item: T, times: number): Generator<T> {
  for (let i = 0; i < times; i++) yield item;
}
