import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { buildConsole } from "@duchenne/console/build";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { readPackaged } from "../faces/photographs.ts";
import { startChromium } from "./chromium.ts";
import { writeCameraFile } from "./fake-camera.ts";

const SMILE = "material-kit/assets/img/faces/christian.jpg";
const NEUTRAL = "material-kit/assets/img/faces/marc.jpg";
const LAUGH = "@themesberg/volt-bootstrap-5-dashboard/src/assets/img/team/profile-picture-3.jpg";

/** How long anything may take on a machine with much else to do. */
const WAIT_MS = 60_000;
const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: WAIT_MS });
vi.setConfig({ testTimeout: 4 * WAIT_MS });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let browser: Browser;
let context: BrowserContext;
/** What the browser complained of: errors of scripts, and what the content security policy forbade. */
let complaints: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  const [cameraFile] = await Promise.all([
    writeCameraFile(folder.path, [{ photographs: [SMILE], seconds: 1 }]),
    buildConsole(),
  ]);
  browser = await startChromium(cameraFile);
  server = await startServer("detector", folder.path);
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
  await folder[Symbol.asyncDispose]();
});
afterEach(() => context?.close());

/** Opens the page in a browser profile of its own. */
async function openPage(options: Parameters<Browser["newContext"]>[0] = {}, mayUseCamera = true): Promise<Page> {
  context = await browser.newContext(options);
  // What is not granted here is refused, without a question.
  await context.grantPermissions([mayUseCamera ? "camera" : "geolocation"]);
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${server.connectPort}/`);
  return page;
}

const unit = (page: Page, actionUnit: number) => page.locator(`[data-unit="${actionUnit}"]`);
const status = (page: Page, text: string) => page.locator("#status", { hasText: text }).waitFor();
/** Waits until an action unit counts as present, or does not. */
const presence = (page: Page, actionUnit: number, present: boolean) =>
  page.locator(`[data-unit="${actionUnit}"][data-present="${present}"]`).waitFor();

/** NaN while there is none. */
async function score(page: Page, actionUnit: number): Promise<number> {
  return Number.parseFloat((await unit(page, actionUnit).locator(".score").textContent()) ?? "");
}

async function startCamera(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start the camera" }).first().click();
  await status(page, "Live");
  await presence(page, 12, true);
}

/** Drops a file on the page as a person does. */
async function drop(page: Page, name: string, type: string, bytes: Buffer): Promise<void> {
  const file = JSON.stringify({ name, type, base64: bytes.toString("base64") });
  await page.evaluate(`(async () => {
    const { name, type, base64 } = ${file};
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragover", "drop"]) {
      document.querySelector("#stage").dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    }
  })()`);
}

/** Waits until a photograph is shown and scored. */
async function scored(page: Page, name: string): Promise<void> {
  await page.getByAltText(`Photograph ${name}`).waitFor();
  await page.locator('#status[data-phase="scored"]').waitFor();
}

/** The share of the overlay's pixels that are drawn on, in a part of it (0..1 of its width and height). */
function drawnShare(
  page: Page,
  [left, top, right, bottom]: readonly [number, number, number, number],
): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector("#overlay");
    const [x, y] = [Math.round(${left} * canvas.width), Math.round(${top} * canvas.height)];
    const [width, height] = [Math.round(${right - left} * canvas.width), Math.round(${bottom - top} * canvas.height)];
    const { data } = canvas.getContext("2d").getImageData(x, y, width, height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
    return drawn / (width * height);
  })()`) as Promise<number>;
}

it("shows the camera with the face's box and its action units, and how fast that is", async () => {
  const page = await openPage({ viewport: { width: 1440, height: 900 } });
  await startCamera(page);
  expect(await score(page, 12)).toBeGreaterThan(0.5);
  expect(await score(page, 43)).toBeLessThan(0.5);
  await page.getByText("Lip corner puller (AU12)").waitFor();
  // A box and its label, and not a filled picture.
  const drawn = await drawnShare(page, [0, 0, 1, 1]);
  expect(drawn).toBeGreaterThan(0.002);
  expect(drawn).toBeLessThan(0.2);
  await page.locator("#latency", { hasText: /\d ms/ }).waitFor();
  await page.locator("#rate", { hasText: /[1-9].* \/ s/ }).waitFor();
  await page.locator('#stages [data-stage="faces"] dd', { hasText: /^\d.* ms$/ }).waitFor();
  expect(await page.locator("#model-note").textContent()).toContain("blendshape-au version 1");
  // What is charted is chosen by pressing an action unit.
  expect(await page.locator("#legend li").allTextContents()).toEqual(["AU1", "AU4", "AU12", "AU26"]);
  await unit(page, 43).getByRole("button").click();
  await unit(page, 1).getByRole("button").click();
  await eventually(() => page.locator("#legend li").allTextContents()).toEqual(["AU4", "AU12", "AU26", "AU43"]);
  expect(await page.locator("#chart canvas").count()).toBe(1);
  await page.getByRole("button", { name: "Stop the camera" }).click();
  await status(page, "Ready");
  expect(await drawnShare(page, [0, 0, 1, 1])).toBe(0);
  expect(complaints).toEqual([]);
});

it("takes a held face as neutral, keeps that over a change of settings, and forgets it", async () => {
  const page = await openPage();
  await startCamera(page);
  await page.getByRole("button", { name: "Hold a neutral face" }).click();
  await page.getByText("Look into the camera with a face at rest").waitFor();
  await presence(page, 12, false);
  await eventually(() => score(page, 12)).toBeLessThanOrEqual(0.06);
  // Another session, which is given the baseline before its first frame.
  const baselineSent = page.waitForResponse(/\/CalibrateSession$/);
  await page.getByLabel("Smoothing").selectOption({ label: "Average, half-life 0.15 s" });
  expect((await baselineSent).ok()).toBe(true);
  for (let i = 0; i < 5; i++) await page.waitForResponse(/\/PushFrame$/);
  await page.getByRole("button", { name: "Neutral face held" }).waitFor();
  expect(await score(page, 12)).toBeLessThanOrEqual(0.06);
  await page.getByRole("button", { name: "Forget the neutral face" }).click();
  await presence(page, 12, true);
  expect(complaints).toEqual([]);
});

it("draws landmarks when they are wanted, and scores with the model that is chosen", async () => {
  const page = await openPage();
  await startCamera(page);
  const before = await drawnShare(page, [0, 0, 1, 1]);
  await page.getByLabel("Landmarks").check();
  await eventually(() => drawnShare(page, [0, 0, 1, 1])).toBeGreaterThan(before * 1.1);
  await page.getByLabel("Model").selectOption("models/blendshape-au/versions/1");
  await presence(page, 12, true);
  // A version that was deleted while it was on the list.
  await page.evaluate(`document.querySelector("#model").append(new Option("gone", "models/gone/versions/1"))`);
  await page.getByLabel("Model").selectOption("gone");
  await page.getByRole("heading", { name: "No such model is ready" }).waitFor();
  await page.getByLabel("Model").selectOption({ label: "The server's default" });
  await status(page, "Live");
  await presence(page, 12, true);
});

it("scores a photograph that is dropped, and says so when a file is none", async () => {
  const page = await openPage();
  await drop(page, "notes.jpg", "image/jpeg", Buffer.from("these are no pixels"));
  await page.getByRole("heading", { name: "That file is not a picture" }).waitFor();
  await drop(page, "laugh.jpg", "image/jpeg", await readPackaged(LAUGH));
  await scored(page, "laugh.jpg");
  await presence(page, 12, true);
  expect(await page.getByRole("alert").isVisible()).toBe(false);
  expect(await drawnShare(page, [0, 0, 1, 1])).toBeGreaterThan(0.001);
  await drop(page, "neutral.jpg", "image/jpeg", await readPackaged(NEUTRAL));
  await scored(page, "neutral.jpg");
  await eventually(() => score(page, 12)).toBeLessThan(0.25);
  // Back to the camera.
  await startCamera(page);
  expect(complaints).toEqual([]);
});

it("says that the server is away when it is killed, and goes on when it is back", async () => {
  const page = await openPage();
  await startCamera(page);
  const { connectPort } = server;
  await server.end("SIGKILL");
  await page.getByRole("heading", { name: "The server does not answer" }).waitFor();
  await status(page, "The server does not answer");
  server = await startServer("detector", folder.path, { args: ["--connect-port", String(connectPort)] });
  await status(page, "Live");
  await presence(page, 12, true);
  expect(await page.getByRole("alert").isVisible()).toBe(false);
});

it("comes back by itself to a server that stops in good order", async () => {
  const page = await openPage();
  await startCamera(page);
  const { connectPort } = server;
  const ended = server.end();
  await status(page, "The server");
  expect(await ended).toBe(0);
  server = await startServer("detector", folder.path, { args: ["--connect-port", String(connectPort)] });
  await status(page, "Live");
  await presence(page, 12, true);
});

it("says what to do when the camera is refused", async () => {
  const page = await openPage({}, false);
  await page.getByRole("button", { name: "Start the camera" }).first().click();
  await page.getByRole("heading", { name: "The camera was not allowed" }).waitFor();
  // Photographs still work.
  await drop(page, "laugh.jpg", "image/jpeg", await readPackaged(LAUGH));
  await presence(page, 12, true);
});

it.each(["light", "dark"] as const)(
  "has no barriers that axe finds, live and in the %s scheme",
  async (colorScheme) => {
    const page = await openPage({ colorScheme });
    await startCamera(page);
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(axe);
    const found = (await page.evaluate("axe.run()")) as {
      readonly passes: readonly { readonly id: string }[];
      readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
    };
    expect(found.passes.map(({ id }) => id)).toContain("color-contrast");
    expect(found.violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
  },
);

it("can be used with the keyboard alone, on a narrow screen without scrolling sideways", async () => {
  const page = await openPage({ viewport: { width: 360, height: 740 } });
  const focused = () => page.evaluate("document.activeElement.textContent") as Promise<string>;
  for (let i = 0; i < 5 && (await focused()) !== "Start the camera"; i++) await page.keyboard.press("Tab");
  expect(await focused()).toBe("Start the camera");
  await page.keyboard.press("Enter");
  await presence(page, 12, true);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
});
