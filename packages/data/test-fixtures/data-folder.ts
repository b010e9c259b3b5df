import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { ManifestError } from "../src/manifest-error.ts";
import { openDataset } from "../src/open-dataset.ts";

/** A folder for one test's data set, removed at its end. */
export interface DataFolder extends AsyncDisposable {
  readonly path: string;
  write(file: string, text: string): Promise<string>;
  /** Writes one value a line, texts as they are. */
  writeLines(file: string, lines: readonly unknown[]): Promise<string>;
  /** Draws a small image, each of another colour. */
  draw(...files: readonly string[]): Promise<void>;
}

/** Makes an empty folder. */
export async function createDataFolder(): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), "duchenne-data-"));
  let drawn = 0;
  async function write(file: string, content: string | Buffer): Promise<string> {
    const target = join(path, file);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    return target;
  }
  return {
    path,
    write,
    writeLines: (file, lines) =>
      write(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")),
    async draw(...files) {
      for (const file of files) {
        const background = { r: drawn++ % 256, g: 128, b: 64 };
        const image = sharp({ create: { width: 8, height: 8, channels: 3, background } });
        await write(file, await (file.endsWith(".png") ? image.png() : image.jpeg()).toBuffer());
      }
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** The places and texts of the problems that opening a folder meets. */
export async function problemsOf(
  directory: string,
  options?: Parameters<typeof openDataset>[1],
): Promise<{ readonly [field: string]: string }> {
  const error = await openDataset(directory, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ManifestError)) throw new Error(`Expected a ManifestError, got ${error}`);
  return Object.fromEntries(error.violations.map(({ field, description }) => [field, description]));
}
