import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Dataset,
  FACE_OVAL_CONVENTION,
  openDataset,
  type Portrait,
  portraitProblems,
  SYNTHFACS_ACTION_UNITS,
} from "@duchenne/data";
import { createVisionEngine, decodeImage } from "@duchenne/vision";
import sharp from "sharp";
import { labelledPhotographs, readPackaged } from "../../faces/photographs.ts";

/** The photographs that dev packages ship, with what was seen on them. */
export interface RealPhotographs {
  /** A frame and a subject a photograph, its box and its labels; unknown where nobody looked or could tell. */
  readonly dataset: Dataset;
  /** Those that are neutral portraits, by their frame. */
  readonly portraits: ReadonlyMap<number, Portrait>;
  /** Files on which no face was found: they are not in the data set. */
  readonly withoutFace: readonly string[];
}

/** Finds the faces of the labelled photographs and writes them as a data set into a folder. */
export async function readRealPhotographs(folder: string): Promise<RealPhotographs> {
  const { photographs } = await labelledPhotographs();
  const more = (await labelledPhotographs("more-labels.json")).photographs;
  const engine = createVisionEngine({ workers: 1 });
  const portraits = new Map<number, Portrait>();
  const withoutFace: string[] = [];
  const lines: string[] = [];
  await mkdir(folder, { recursive: true });
  try {
    const model = await engine.load({ kind: "blendshape-au" });
    for (const [i, { path, labels }] of photographs.entries()) {
      const name = path.split("/").at(-1)!;
      const bytes = await readPackaged(path);
      const landmarks = (await model.run({ image: bytes, maxFaces: 1, landmarks: true })).faces[0]?.landmarks;
      if (landmarks === undefined) {
        withoutFace.push(name);
        continue;
      }
      const seen = new Map([...labels, ...more[i]!.labels]);
      const image = await decodeImage(bytes);
      // Shown expressions would be in every frame of a warped portrait, whatever its labels say.
      const isNeutral = [...seen.values()].every((label) => label !== 1);
      if (isNeutral && portraitProblems({ landmarks }).length === 0) {
        portraits.set(lines.length, { subject: name, file: name, image, landmarks });
      }
      const raw = { width: image.width, height: image.height, channels: 3 } as const;
      await writeFile(join(folder, `${name}.png`), await sharp(image.data, { raw }).png().toBuffer());
      const line = {
        image: `${name}.png`,
        subject: name,
        box: boxOf(landmarks),
        actionUnits: Object.fromEntries(seen),
      };
      lines.push(JSON.stringify(line));
    }
  } finally {
    await engine.close();
  }
  const configuration = {
    name: "photographs of dev packages",
    actionUnits: SYNTHFACS_ACTION_UNITS,
    labels: "occurrence",
    boxConvention: FACE_OVAL_CONVENTION,
  };
  await writeFile(join(folder, "dataset.json"), JSON.stringify(configuration));
  await writeFile(join(folder, "manifest.jsonl"), `${lines.join("\n")}\n`);
  return { dataset: await openDataset(folder), portraits, withoutFace };
}

/** The rectangle around the landmarks of the mesh, as the live path has it. */
function boxOf(landmarks: Float32Array) {
  const mesh = landmarks.subarray(0, 3 * 468);
  const xs = mesh.filter((_, i) => i % 3 === 0);
  const ys = mesh.filter((_, i) => i % 3 === 1);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}
