import { createRequire } from "node:module";

/** The program that decodes videos of tests. */
export const FFMPEG = createRequire(import.meta.url).resolve("@ffmpeg-installer/linux-x64/ffmpeg");
