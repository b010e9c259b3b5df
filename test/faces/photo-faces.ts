import { type Portrait, photoFrameWith, portraitProblems, renderPhoto } from "@duchenne/data";
import { type AuModel, decodeImage } from "@duchenne/vision";
import sharp from "sharp";
import { scoreOf } from "./confusion-report.ts";
import { labelledPhotographs, readPackaged } from "./photographs.ts";

/** Side of the crops, in pixels. */
const SIZE = 224;

/** The labelled photographs that are neutral portraits: no action unit was seen, and photo mode takes them. */
export async function packagedPortraits(model: AuModel): Promise<readonly Portrait[]> {
  const portraits: Portrait[] = [];
  for (const { path, labels } of (await labelledPhotographs()).photographs) {
    if ([...labels.values()].includes(1)) continue;
    const image = await readPackaged(path);
    const landmarks = (await model.run({ image, maxFaces: 1, landmarks: true })).faces[0]?.landmarks;
    if (landmarks === undefined || portraitProblems({ landmarks }).length > 0) continue;
    const name = path.split("/").at(-1)!;
    portraits.push({ subject: name, file: name, image: await decodeImage(image), landmarks });
  }
  return portraits;
}

/** The built-in model's score of an action unit on a portrait that shows it alone, at intensities 0 to 5. */
export async function scoresOf(model: AuModel, portrait: Portrait, actionUnit: number): Promise<readonly number[]> {
  const scores: number[] = [];
  for (let intensity = 0; intensity <= 5; intensity++) {
    const shown = photoFrameWith({ [actionUnit]: intensity, ...(actionUnit === 26 ? { 25: intensity } : {}) });
    const { image, box } = await renderPhoto(portrait, shown, { size: SIZE, noiseSeed: [0] });
    const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
    const png = await sharp(image.data, { raw }).png().toBuffer();
    // The crop is all there is to see: a face is not looked for.
    const { faces } = await model.run({ image: png, maxFaces: 1, faceBox: box });
    scores.push(scoreOf(faces[0], actionUnit)!);
  }
  return scores;
}
