// What a blind naming said, as Markdown: node test/faces/report-naming.ts <seed>
// Reads naming/<seed>.json: what each pair of write-naming-pairs.ts showed, and what it was named.
import { readFile } from "node:fs/promises";
import { actionUnitName } from "@duchenne/data";
import { z } from "zod";

const namingSchema = z.object({ seed: z.int(), shown: z.array(z.int()), named: z.array(z.int()) });
const file = new URL(`./naming/${process.argv[2]}.json`, import.meta.url);
const { seed, shown, named } = namingSchema.parse(JSON.parse(await readFile(file, "utf8")));
const right = shown.filter((actionUnit, i) => named[i] === actionUnit).length;
const rows = shown
  .map((actionUnit, i) => ({ actionUnit, pair: i + 1, answer: named[i]! }))
  .sort((a, b) => a.actionUnit - b.actionUnit)
  .map(({ actionUnit, pair, answer }) => {
    const verdict = answer === actionUnit ? "right" : "**wrong**";
    return `| AU${actionUnit} ${actionUnitName(actionUnit)} | ${pair} | AU${answer} | ${verdict} |`;
  });
console.log(`${right} of ${shown.length} were named (seed ${seed}).\n`);
console.log(`| shown | pair | named | |\n|---|---:|---|---|\n${rows.join("\n")}`);
