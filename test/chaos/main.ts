// `npm run test:chaos`: jobs on real processes while these are killed, stopped, cut off and robbed of their disk, on both
// ways of keeping a store. Prints what broke, which must be nothing, and how fast the stores are.
//   --seed N        what goes wrong and when (default 1)
//   --kills N       kill -9 on each driver (default 100)
//   --minutes N     faults of one driver end after so long (default 9)
//   --lease-ms N    how long jobs stay a machine's without a sign of it (default 6000; more where processes get little time)
//   --driver NAME   "sqlite" or "postgres" alone
//   --output FOLDER keeps the report as Markdown and everything as JSON
//   --faketime FILE libfaketime, where it is not in the system's place
// Exit code 1: something broke; 2: time was up before all kills.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { contractDrivers } from "@duchenne/store/test-drivers";
import { describeMachine } from "../bench/machine.ts";
import { findFaketime } from "./machine-clock.ts";
import { measureRates } from "./measure-rates.ts";
import { type ChaosReport, isClean, markdownOf, missing } from "./report.ts";
import { prepareInputs, runChaos } from "./run-chaos.ts";
import { startDriver } from "./start-driver.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    kills: { type: "string", default: "100" },
    minutes: { type: "string", default: "9" },
    "lease-ms": { type: "string", default: "6000" },
    driver: { type: "string" },
    output: { type: "string" },
    faketime: { type: "string" },
  },
});

const NAMES = { sqlite: "SQLite and files", postgres: "PostgreSQL and S3" };
const chosen = contractDrivers.filter(
  ({ name }) => values.driver === undefined || NAMES[values.driver as keyof typeof NAMES] === name,
);
const numbers = [values.seed, values.kills, values.minutes, values["lease-ms"]].map(Number);
const [seed = 0, kills = 0, minutes = 0, leaseMs = 0] = numbers;
if (chosen.length === 0 || !numbers.every((value) => value > 0)) {
  throw new Error("Expected positive numbers, and --driver sqlite or postgres");
}
const faketime = values.faketime ?? findFaketime();
const say = (line: string) => process.stderr.write(`${line}\n`);
say(`seed ${seed}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const inputs = await prepareInputs();
const drivers: ChaosReport["drivers"][number][] = [];
try {
  for (const driver of chosen) {
    const started = await startDriver(driver, faketime);
    const options = {
      seed,
      kills,
      gapMs: 4_000,
      leaseMs,
      limitMs: minutes * 60_000,
      patienceMs: 60_000,
      settleMs: 600_000,
      trainings: 2,
      syntheses: 2,
      faketime,
      say,
    };
    const result = await runChaos(started, inputs, options).finally(() => started.stop());
    say(`${driver.name}: measuring rates`);
    // Of a database whose clock is its machine's: one that can jump costs time.
    await driver.start();
    const measuring = measureRates(driver, { secondsEach: 4, jobs: 500, watchedEvents: 300 });
    drivers.push({ result, rates: await measuring.finally(() => driver.stop()) });
  }
} finally {
  await inputs.dispose();
}

const report: ChaosReport = {
  seed,
  kills,
  machine: describeMachine(),
  noClockJumps: faketime === undefined ? "not run: libfaketime is not installed" : undefined,
  drivers,
};
const markdown = markdownOf(report);
process.stdout.write(`${markdown}\n`);
if (values.output !== undefined) {
  await mkdir(values.output, { recursive: true });
  await writeFile(join(values.output, "chaos.md"), `${markdown}\n`);
  const json = JSON.stringify(report, (_, value) => (value instanceof Set ? [...value] : value), 2);
  await writeFile(join(values.output, "chaos.json"), json);
}
const absent = missing(report);
if (absent.length > 0) say(`Time was up before all was done. Missing are:\n  ${absent.join("\n  ")}`);
process.exitCode = isClean(report) ? (absent.length === 0 ? 0 : 2) : 1;
