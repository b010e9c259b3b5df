// `npm run experiments:transfer`: what trains on SynthFACS, drawn faces alone or with warped portraits, scores real
// photographs. Prints progress on stderr and the tables on stdout; `--output FOLDER` keeps them, `--quick` takes a minute and
// shows only that everything works.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadTensorFlow } from "@duchenne/tensor";
import { readRealPhotographs } from "./real-photographs.ts";
import { QUICK_SETTINGS, SETTINGS } from "./settings.ts";
import { measureTransfer } from "./transfer.ts";
import { reportToMarkdown } from "./write-report.ts";

const { values } = parseArgs({ options: { output: { type: "string" }, quick: { type: "boolean", default: false } } });
const settings = values.quick ? QUICK_SETTINGS : SETTINGS;
const folder = await mkdtemp(join(tmpdir(), "duchenne-transfer-"));
try {
  const tf = await loadTensorFlow();
  const real = await readRealPhotographs(join(folder, "real"));
  const run = await measureTransfer(tf, real, folder, settings);
  const tables = reportToMarkdown(run, real, settings);
  process.stdout.write(tables);
  if (values.output !== undefined) {
    await mkdir(values.output, { recursive: true });
    await writeFile(join(values.output, "transfer.md"), tables);
    await writeFile(join(values.output, "transfer.json"), JSON.stringify({ settings, run }));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
