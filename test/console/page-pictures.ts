// Takes the pictures of docs/console.md: node test/console/page-pictures.ts [folder]. Needs Chromium; look at them.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildConsole } from "@duchenne/console/build";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { startServer, temporaryFolder } from "../e2e/server-process.ts";
import { startChromium } from "./chromium.ts";
import { writeCameraFile } from "./fake-camera.ts";

const TEAM = "@themesberg/volt-bootstrap-5-dashboard/src/assets/img/team";
const FACES = "material-kit/assets/img/faces";

/** Long enough for the chart to be full of it. */
const WATCHED_MS = 32_000;

const folder = process.argv[2] ?? fileURLToPath(new URL("../../docs/console", import.meta.url));
await mkdir(folder, { recursive: true });
await using scratch = await temporaryFolder();
const cameraFile = await writeCameraFile(
  scratch.path,
  [
    { photographs: [`${FACES}/christian.jpg`, `${TEAM}/profile-picture-1.jpg`], seconds: 3 },
    { photographs: [`${FACES}/marc.jpg`, `${TEAM}/profile-picture-3.jpg`], seconds: 2 },
    { photographs: [`${TEAM}/profile-picture-3.jpg`, `${TEAM}/profile-picture-2.jpg`], seconds: 3 },
  ],
  { width: 960, height: 540 },
);
await buildConsole();
const server = await startServer("detector", scratch.path);
const browser = await startChromium(cameraFile);

async function picture(page: Page, name: string): Promise<void> {
  await sharp(await page.screenshot())
    .webp({ quality: 82 })
    .toFile(join(folder, `${name}.webp`));
}

async function open(colorScheme: "light" | "dark", width: number, height: number): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 1 });
  await context.grantPermissions(["camera"]);
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.connectPort}/`);
  return page;
}

try {
  for (const [name, scheme, width, height] of [
    ["live", "light", 1360, 1010],
    ["live-dark", "dark", 1360, 1010],
    ["narrow", "dark", 400, 1500],
  ] as const) {
    const page = await open(scheme, width, height);
    await picture(page, `${name}-welcome`);
    await page.getByRole("button", { name: "Start the camera" }).first().click();
    await page.locator("#status", { hasText: "Live" }).waitFor();
    await page.getByLabel("Landmarks").check();
    await page.waitForTimeout(WATCHED_MS);
    await picture(page, name);
    await page.context().close();
  }
} finally {
  await browser.close();
  await server.end();
}
