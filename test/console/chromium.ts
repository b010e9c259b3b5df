import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** Where a Chromium may be, the system's package first. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/**
 * Starts the system's Chromium, without a window.
 *
 * @param cameraFile a y4m that its only camera shows, over and over; without, it has none
 * @throws {Error} with how to install it, when there is none
 */
export async function startChromium(cameraFile?: string): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(cameraFile === undefined
        ? []
        : ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${cameraFile}`]),
    ],
  });
}

async function findChromium(): Promise<string> {
  for (const program of PROGRAMS) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, program);
      if (await isProgram(path)) return path;
    }
  }
  throw new Error(
    `Expected a browser to test the live page with, one of ${PROGRAMS.join(", ")} on PATH, found none. ` +
      "Install it (Debian: apt-get install chromium).",
  );
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
