// A worker thread that turns one file of weights into the files of a version: seconds of work for a large model, which
// would hold up every stream of the process.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import {
  exportOnnx,
  importWeights,
  type OptimizerState,
  openWeights,
  type Parameter,
  writeSafetensors,
} from "@duchenne/model";
import type { Conversion, ConversionError, ConversionReply, ConversionTask } from "./conversion.ts";

/** A protobuf message, and so an ONNX file, has at most 2 GiB; the graph itself needs little. */
const MAX_ONNX_PARAMETER_BYTES = 2 ** 31 - 2 ** 24;

async function convert({ path, folder, options }: ConversionTask): Promise<Conversion> {
  await using file = await openWeights(path);
  const { config, parameters, report, optimizer } = await importWeights(file, options);
  const roles: string[] = [];
  const write = async (role: string, bytes: Uint8Array): Promise<void> => {
    await writeFile(join(folder, role), bytes);
    roles.push(role);
  };
  await write("safetensors", writeSafetensors(parameters, { config: JSON.stringify(config) }));
  if (config.kind !== "mae") {
    const bytes = [...parameters.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes <= MAX_ONNX_PARAMETER_BYTES) await write("onnx", exportOnnx(config, parameters));
    else report.notes.push(`It cannot be served: ONNX holds at most 2 GiB, the parameters have ${bytes} bytes.`);
  }
  if (optimizer !== undefined) await write("optimizer", optimizerBytes(optimizer));
  const { format, epoch, trainingArguments } = file;
  return { config, report, format, epoch, trainingArguments, roles };
}

/** The same names as in a training's checkpoint. */
function optimizerBytes({ step, firstMoments, secondMoments }: OptimizerState): Uint8Array {
  const all = new Map<string, Parameter>();
  for (const [name, data] of firstMoments) all.set(`optimizer.first.${name}`, { shape: [data.length], data });
  for (const [name, data] of secondMoments) all.set(`optimizer.second.${name}`, { shape: [data.length], data });
  return writeSafetensors(all, { optimizerStep: String(step) });
}

function portable(error: unknown): ConversionError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const { code, reason, metadata, violations } = error as Partial<ConversionError>;
  return { name, message, stack, code, reason, metadata, violations };
}

const reply: ConversionReply = await convert(workerData as ConversionTask).then(
  (result) => ({ result }),
  (error: unknown) => ({ error: portable(error) }),
);
parentPort!.postMessage(reply);
