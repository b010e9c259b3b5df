// Pairs for a blind naming test: node test/faces/write-naming-pairs.ts <seed> <folder>
// Writes sheets of numbered pairs (neutral left, one action unit at intensity 4 right) of subjects that appear once, and
// key.json, which the person who names them must not see.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  contactSheet,
  createRandom,
  createSyntheticFrame,
  createSyntheticSubject,
  frameWith,
  pngFromImage,
  renderLabelledFace,
  SYNTHFACS_ACTION_UNITS,
  type Tile,
} from "@duchenne/data";

const [seed = 1, folder = "naming-pairs"] = [Number(process.argv[2]), process.argv[3]];
const PAIRS_A_SHEET = 6;
const INTENSITY = 4;
const order = createRandom([seed, "naming-pairs"]).permutation(SYNTHFACS_ACTION_UNITS.length);
const shown = [...order].map((index) => SYNTHFACS_ACTION_UNITS[index]!);
await mkdir(folder, { recursive: true });
for (let from = 0; from < shown.length; from += PAIRS_A_SHEET) {
  const tiles: Tile[] = [];
  for (const [i, actionUnit] of shown.slice(from, from + PAIRS_A_SHEET).entries()) {
    const number = from + i + 1;
    const subject = createSyntheticSubject(seed, number, 0);
    const { light } = createSyntheticFrame(seed, subject, 0);
    for (const intensity of [0, INTENSITY]) {
      const frame = { ...frameWith({ [actionUnit]: intensity }), light };
      const { image } = await renderLabelledFace(subject, frame, { size: 360, framing: "crop", noiseSeed: [seed] });
      tiles.push({ image, label: `${number}` });
    }
  }
  await writeFile(join(folder, `pairs-${from / PAIRS_A_SHEET + 1}.png`), await pngFromImage(contactSheet(tiles, 4)));
}
const key = Object.fromEntries(shown.map((actionUnit, i) => [i + 1, actionUnit]));
await writeFile(join(folder, "key.json"), `${JSON.stringify(key, null, 2)}\n`);
