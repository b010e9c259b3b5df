import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Style } from "@duchenne/cli";
import { type DuchenneClient, streamFrames } from "@duchenne/client";
import { type Face, type FrameResult, Side } from "@duchenne/proto";
import { annotateImage } from "@duchenne/vision";
import { contactSheet } from "./contact-sheet.ts";

const require = createRequire(import.meta.url);
const FOLDERS = [
  ["material-kit", "assets/img/faces"],
  ["@themesberg/volt-bootstrap-5-dashboard", "src/assets/img/team"],
] as const;
const TITLE = "blendshape-au: activations, not probabilities";

/**
 * Streams the photographs of two packages, prints a table and draws the scores on each.
 *
 * @returns the path of a sheet of all pictures
 */
export async function detectOnPhotographs(
  client: DuchenneClient,
  folder: string,
  say: (text?: string) => void,
  style: Style,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const paths = await photographs();
  const images = await Promise.all(paths.map((path) => readFile(path)));
  const pictures: Buffer[] = [];
  const frames = images.map((image) => ({ image }));
  const times: number[] = [];
  // Photographs, not a video: a face is not where the one before had it.
  const configuration = { maxFaces: 4, outputs: { landmarks: true }, tracking: { detectEvery: 1 } };
  for await (const answer of streamFrames(client, frames, configuration)) {
    if (answer.case === "configured") {
      const { model, warnings } = answer.value;
      say(`   ${model?.name}: ${model?.description}`);
      for (const warning of warnings) say(`   ${warning}`);
      const units = model?.actionUnits.map(({ actionUnit }) => `AU${actionUnit}`.padStart(6).padEnd(7)).join("") ?? "";
      say(`\n   ${"photograph".padEnd(28)}${units}`);
    }
    if (answer.case !== "result") continue;
    const index = Number(answer.value.sequence) - 1;
    times.push(durationMs(answer.value.times!.total!) - durationMs(answer.value.times!.queue!));
    for (const row of tableRows(basename(paths[index]!), answer.value, style)) say(`   ${row}`);
    const picture = await annotateImage(images[index]!, annotated(answer.value.faces), { title: TITLE });
    await writeFile(join(folder, `${basename(paths[index]!).replace(/\.\w+$/, "")}.png`), picture);
    if (answer.value.faces.length > 0) pictures.push(picture);
  }
  times.sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  say(`\n   ${style.highlight("●")} at or above the threshold of 0.50.`);
  say(`   Median ${median.toFixed(0)} ms an image, decoding included, while TensorFlow is fetched beside it.`);
  const sheet = join(folder, "..", "faces.png");
  await writeFile(sheet, await contactSheet(pictures));
  return sheet;
}

async function photographs(): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, path] of FOLDERS) {
    const folder = join(dirname(require.resolve(`${name}/package.json`)), path);
    const names = (await readdir(folder)).filter((each) => /\.(jpe?g|png|webp)$/.test(each)).sort();
    paths.push(...names.map((each) => join(folder, each)));
  }
  return paths;
}

function tableRows(name: string, { faces }: FrameResult, style: Style): string[] {
  if (faces.length === 0) return [`${name.padEnd(28)}${style.dim("  no face")}`];
  return faces.map((face) => {
    const cells = wholeFace(face).map(({ score, present }) => {
      const text = score.toFixed(2).padStart(6);
      return present ? style.highlight(`${text}●`) : style.dim(`${text} `);
    });
    return name.padEnd(28) + cells.join("");
  });
}

const wholeFace = ({ scores }: Face) => scores.filter(({ side }) => side === Side.UNSPECIFIED);

function annotated(faces: readonly Face[]) {
  return faces.map((face) => ({
    box: face.box!,
    landmarks: face.landmarks.flatMap(({ x, y, z }) => [x, y, z]),
    scores: wholeFace(face),
  }));
}
