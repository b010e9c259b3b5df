import { CHECKS, type Check } from "./audit.ts";
import type { Rates } from "./measure-rates.ts";
import { type ChaosResult, total } from "./run-chaos.ts";

/** All that a run of `npm run test:chaos` found. */
export interface ChaosReport {
  readonly seed: number;
  /** Asked for, on each driver. */
  readonly kills: number;
  readonly machine: string;
  /** Why clocks stayed right; undefined when they did not. */
  readonly noClockJumps: string | undefined;
  readonly drivers: readonly { readonly result: ChaosResult; readonly rates: Rates }[];
}

/** How many of what is found are told in full. */
const SHOWN = 5;

/** True when nothing was found that must not be. */
export function isClean({ drivers }: ChaosReport): boolean {
  return drivers.every(({ result }) => Object.values(result.findings).every((found) => found.length === 0));
}

/** What was planned and did not come about: kills, and kinds of faults of which there was none. Empty: all of it did. */
export function missing({
  drivers,
  kills,
}: {
  readonly kills: number;
  readonly drivers: readonly { readonly result: Pick<ChaosResult, "driver" | "faults"> }[];
}): readonly string[] {
  return drivers.flatMap(({ result: { driver, faults } }) => {
    const left = kills - total(faults.kills);
    const absent = Object.entries(faults.others).filter(([, count]) => count === 0);
    return [...(left > 0 ? [`${left} kills`] : []), ...absent.map(([name]) => `any ${name}`)].map(
      (what) => `${driver}: ${what}`,
    );
  });
}

/** The report as Markdown. */
export function markdownOf(report: ChaosReport): string {
  const { drivers, seed, kills } = report;
  const row = (name: string, cell: (driver: ChaosReport["drivers"][number]) => string | number) =>
    `| ${[name, ...drivers.map(cell)].join(" | ")} |`;
  const [first] = drivers;
  if (first === undefined) return "";
  const victims = Object.keys(first.result.faults.kills) as (keyof typeof first.result.faults.kills)[];
  const others = new Set(drivers.flatMap(({ result }) => Object.keys(result.faults.others)));
  const { noClockJumps } = report;
  const faultRows = [
    ...victims.map((victim) => row(`kill -9 of a ${victim}`, ({ result }) => result.faults.kills[victim])),
    // A store that has no such thing has no such fault.
    ...[...others].map((name) => row(name, ({ result }) => result.faults.others[name] ?? "–")),
    ...(noClockJumps === undefined ? [] : [row("clock jumps", () => noClockJumps)]),
  ];
  const work: Readonly<Record<keyof ChaosResult["work"], string>> = {
    jobs: "jobs",
    attempts: "attempts",
    events: "events",
    trainings: "trainings that are compared",
    versions: "versions",
    uploads: "uploads",
    resumedUploads: "uploads that went on in the middle",
    zombieWritesRefused: "zombie writes refused",
  };
  const workRows = Object.entries(work).map(([key, name]) =>
    row(name, ({ result }) => result.work[key as keyof typeof work]),
  );
  const checkRows = (Object.keys(CHECKS) as Check[]).map((check) =>
    row(`**${check}**`, ({ result }) => `**${result.findings[check].length}**`),
  );
  const whole = (value: number) => value.toFixed(0);
  return [
    `Seed ${seed}, ${kills} kills on each driver, on: ${report.machine}.`,
    "",
    row("", ({ result }) => result.driver),
    row("---", () => "---"),
    ...faultRows,
    ...workRows,
    ...checkRows,
    row("claims/s", ({ rates }) => whole(rates.claimsPerSecond)),
    row("heartbeats/s", ({ rates }) => whole(rates.heartbeatsPerSecond)),
    row("events/s, one a transaction", ({ rates }) => whole(rates.eventsPerSecond)),
    row("events/s, fifty a transaction", ({ rates }) => whole(rates.batchedEventsPerSecond)),
    row(
      "watch latency, median and p99, ms",
      ({ rates: { watchMs } }) => `${whole(watchMs.median)}, ${whole(watchMs.p99)}`,
    ),
    row("seconds", ({ result }) => whole(result.seconds)),
    "",
    ...findingLines(report),
  ].join("\n");
}

function findingLines({ drivers }: ChaosReport): readonly string[] {
  return drivers.flatMap(({ result }) =>
    (Object.keys(CHECKS) as Check[]).flatMap((check) => {
      const found = result.findings[check];
      if (found.length === 0) return [];
      const more = found.length > SHOWN ? [`- and ${found.length - SHOWN} more`] : [];
      return [`${result.driver}, ${check}:`, "", ...found.slice(0, SHOWN).map((each) => `- ${each}`), ...more, ""];
    }),
  );
}
