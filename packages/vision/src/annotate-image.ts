import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { actionUnitName, type Box } from "@duchenne/data";
import opentype from "opentype.js";
import sharp from "sharp";
import { decodeImage, type ImageLimits } from "./decode.ts";

/** A face to draw. */
export interface AnnotatedFace {
  /** In pixels of the image. */
  readonly box: Box;
  /** [478 * 3]: drawn as points when given. */
  readonly landmarks?: ArrayLike<number>;
  /** Whole-face scores, drawn as bars in this order. */
  readonly scores: readonly {
    readonly actionUnit: number;
    readonly score: number;
    readonly threshold: number;
    readonly present: boolean;
  }[];
}

/** What is drawn beside the faces. */
export interface AnnotationOptions {
  /** The line above the bars, such as the model and what its scores are. */
  readonly title: string;
  readonly limits?: ImageLimits;
}

/** Longest side of the photograph in the picture, in pixels. */
const MAX_PHOTOGRAPH = 900;
const MIN_PHOTOGRAPH = 480;
const PANEL_WIDTH = 420;
const MARGIN = 24;
const ROW = 30;
const COLORS = {
  background: "#12161c",
  text: "#e8edf3",
  quiet: "#94a1b0",
  track: "#2a323d",
  present: "#ffb547",
  absent: "#5f7387",
  faces: ["#ffb547", "#6fd3ff", "#a5e887", "#ff8fb3", "#c9a6ff", "#ffe27a"],
};

/**
 * Draws faces on their photograph, with a panel of one bar per action unit and its threshold. Text is drawn as outlines
 * of a font that ships with the product: the picture is the same on machines without fonts.
 *
 * @returns a PNG
 * @throws {InvalidImageError} when the bytes are not a usable image
 * @throws {ImageTooLargeError} when the image is larger than the limits
 */
export async function annotateImage(
  bytes: Uint8Array,
  faces: readonly AnnotatedFace[],
  { title, limits }: AnnotationOptions,
): Promise<Buffer> {
  const image = await decodeImage(bytes, limits);
  const longest = Math.max(image.width, image.height);
  const scale = Math.min(Math.max(MIN_PHOTOGRAPH / longest, 1), MAX_PHOTOGRAPH / longest);
  const width = Math.round(image.width * scale);
  const height = Math.round(image.height * scale);
  const write = await textWriter();

  const panel: string[] = [];
  const left = width + MARGIN;
  let y = MARGIN + 14;
  panel.push(write(title, left, y, 14, COLORS.quiet));
  y += 14;
  if (faces.length === 0) panel.push(write("no face", left, y + ROW, 20, COLORS.text));
  for (const [i, face] of faces.entries()) {
    y += ROW;
    panel.push(write(faces.length === 1 ? "Face" : `Face ${i + 1}`, left, y, 17, colorOf(i)));
    for (const score of face.scores) {
      y += ROW;
      panel.push(scoreRow(write, score, left, y));
    }
    y += ROW / 2;
  }
  const canvasHeight = Math.max(height, Math.round(y + MARGIN));
  const canvasWidth = width + PANEL_WIDTH + 2 * MARGIN;
  const top = Math.round((canvasHeight - height) / 2);
  const outlines = faces.map((face, i) =>
    faceOutline(face, scale, top, colorOf(i), write, faces.length > 1 ? i + 1 : 0),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${canvasWidth}" height="${canvasHeight}">${outlines.join("")}${panel.join("")}</svg>`;
  const photograph = await sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } })
    .resize(width, height, { kernel: "lanczos3" })
    .png()
    .toBuffer();
  return sharp({ create: { width: canvasWidth, height: canvasHeight, channels: 3, background: COLORS.background } })
    .composite([
      { input: photograph, left: 0, top },
      { input: Buffer.from(svg), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
}

type WriteText = (text: string, x: number, y: number, size: number, color: string) => string;

const colorOf = (face: number): string => COLORS.faces[face % COLORS.faces.length]!;

function scoreRow(
  write: WriteText,
  { actionUnit, score, threshold, present }: AnnotatedFace["scores"][number],
  left: number,
  y: number,
): string {
  const barLeft = left + 222;
  const barWidth = PANEL_WIDTH - 222 - 52;
  const filled = barWidth * Math.min(Math.max(score, 0), 1);
  const tick = barLeft + barWidth * threshold;
  const color = present ? COLORS.present : COLORS.absent;
  return [
    write(`AU${actionUnit}`, left, y, 15, present ? COLORS.present : COLORS.text),
    write(actionUnitName(actionUnit), left + 54, y, 15, present ? COLORS.text : COLORS.quiet),
    `<rect x="${barLeft}" y="${y - 12}" width="${barWidth}" height="14" rx="3" fill="${COLORS.track}"/>`,
    `<rect x="${barLeft}" y="${y - 12}" width="${filled}" height="14" rx="3" fill="${color}"/>`,
    `<rect x="${tick - 1}" y="${y - 15}" width="2" height="20" fill="${COLORS.text}"/>`,
    write(score.toFixed(2), barLeft + barWidth + 12, y, 15, present ? COLORS.present : COLORS.quiet),
  ].join("");
}

function faceOutline(
  { box, landmarks }: AnnotatedFace,
  scale: number,
  top: number,
  color: string,
  write: WriteText,
  number: number,
): string {
  const x = box.left * scale;
  const y = box.top * scale + top;
  const parts = [
    `<rect x="${x}" y="${y}" width="${box.width * scale}" height="${box.height * scale}" rx="6" fill="none" stroke="${color}" stroke-width="2.5"/>`,
  ];
  for (let i = 0; landmarks !== undefined && i + 2 < landmarks.length; i += 3) {
    const u = landmarks[i]! * scale;
    const v = landmarks[i + 1]! * scale + top;
    parts.push(`<circle cx="${u}" cy="${v}" r="1.1" fill="${color}" fill-opacity="0.75"/>`);
  }
  if (number > 0) parts.push(write(String(number), x + 6, y + 20, 16, color));
  return parts.join("");
}

let font: Promise<opentype.Font> | undefined;

async function textWriter(): Promise<WriteText> {
  font ??= loadFont();
  const loaded = await font;
  return (text, x, y, size, color) => `<path d="${outline(loaded, text, x, y, size)}" fill="${color}"/>`;
}

/** One outline after the other, without substitutions or kerning: opentype.js does not know all of Inter's lookups. */
function outline(loaded: opentype.Font, text: string, x: number, y: number, size: number): string {
  let path = "";
  for (const character of text) {
    const glyph = loaded.charToGlyph(character);
    path += glyph.getPath(x, y, size).toPathData(2);
    x += ((glyph.advanceWidth ?? 0) * size) / loaded.unitsPerEm;
  }
  return path;
}

async function loadFont(): Promise<opentype.Font> {
  const path = createRequire(import.meta.url).resolve("@expo-google-fonts/inter/500Medium/Inter_500Medium.ttf");
  const bytes = await readFile(path);
  return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
