import { createRandom, type Random } from "@duchenne/data";

/**
 * What is killed: an attempt's process, a trainer with its supervisor, the server that is watched, the database's server;
 * where there is none, all processes at once, in which the database lives.
 */
export const VICTIMS = ["worker", "supervisor", "server", "database"] as const;
/** What is killed. */
export type Victim = (typeof VICTIMS)[number];

/**
 * Whose clock jumps: that of a trainer's machine (its supervisor and attempts), of the server's, of the database's; or, where
 * all are on one machine, of that.
 */
export type ClockOwner = "a trainer" | "the server" | "the database" | "the only machine";

/** Something that goes wrong. */
export type FaultKind =
  | { readonly kind: "kill"; readonly victim: Victim }
  /** A trainer that runs something is stopped (SIGSTOP), alone or with its attempts, and wakes up when its leases are over. */
  | { readonly kind: "zombie"; readonly forMs: number; readonly withWorkers: boolean }
  /** Connections are cut after so many more bytes of answers, and for so long. */
  | { readonly kind: "cut"; readonly afterBytes: number; readonly forMs: number }
  /** The same of a client at once, when some of what it sends has arrived and some has not, or some of what it watches. */
  | { readonly kind: "cut in mid-upload" | "cut in mid-watch"; readonly forMs: number }
  /** A trainer and its attempts find no room for what is larger. */
  | { readonly kind: "full disk"; readonly maxBytes: number; readonly forMs: number }
  /** A published file loses its second half. */
  | { readonly kind: "torn blob" }
  /** A checkpoint that is about to be read loses its second half, half of the time together with the one before. */
  | { readonly kind: "torn checkpoint" }
  /** What a power cut leaves of writes: half files beside whole ones, bytes without meaning behind the log of SQLite. */
  | { readonly kind: "unfinished write" }
  /** A machine's clock is ahead or behind for a while. */
  | { readonly kind: "clock jump"; readonly owner: ClockOwner; readonly offsetMs: number; readonly forMs: number };

/** A fault with its moment. */
export type Fault = FaultKind & {
  /** Since the start. */
  readonly atMs: number;
  /** In 0..1: chooses among those that it may hit. */
  readonly pick: number;
};

/** What a plan is made from. */
export interface PlanOptions {
  readonly seed: number;
  /** Plans of several stores differ. */
  readonly store: string;
  readonly kills: number;
  /** The mean time between two kills. */
  readonly gapMs: number;
  /** Zombies are stopped for longer. */
  readonly leaseMs: number;
  /** True where blobs are files and the database is one. */
  readonly hasFiles: boolean;
  /** The clocks that can jump. */
  readonly clocks: readonly ClockOwner[];
}

/** Shares of the kills. */
const SHARES: Readonly<Record<Victim, number>> = { worker: 0.4, supervisor: 0.25, server: 0.2, database: 0.15 };
/** One of each other kind for so many kills, and at least one. */
const KILLS_PER_FAULT: Readonly<Record<Exclude<FaultKind["kind"], "kill">, number>> = {
  zombie: 8,
  cut: 2,
  "cut in mid-upload": 5,
  "cut in mid-watch": 5,
  "full disk": 10,
  "torn blob": 10,
  "torn checkpoint": 25,
  "unfinished write": 10,
  "clock jump": 5,
};
/** The longest jump: clocks that are a day off are more than a store promises to bear. */
const LONGEST_JUMP_MS = 12 * 3_600_000;

/** What a fault is called in a report. */
export function faultName(fault: Exclude<Fault, { readonly kind: "kill" }>): string {
  if (fault.kind !== "clock jump") return fault.kind;
  return `clock of ${fault.owner} ${fault.offsetMs < 0 ? "behind" : "ahead"}`;
}

/** The names of a plan's faults beside kills, those of a kind together. */
export function faultNames(plan: readonly Fault[]): readonly string[] {
  const names = Object.keys(KILLS_PER_FAULT).flatMap((kind) =>
    plan.flatMap((fault) => (fault.kind !== "kill" && fault.kind === kind ? faultName(fault) : [])).sort(),
  );
  return [...new Set(names)];
}

/** What goes wrong and when, in order: a function of the seed and nothing else. */
export function planFaults(options: PlanOptions): readonly Fault[] {
  const { seed, store, kills, gapMs, clocks } = options;
  const random = createRandom([seed, "chaos", store]);
  const between = (low: number, high: number) => low + random.uniform() * (high - low);
  const faults: Fault[] = [];
  let atMs = 0;
  for (const victim of dealVictims(random, kills)) {
    atMs += between(0.2, 1.8) * gapMs;
    faults.push({ kind: "kill", victim, atMs, pick: random.uniform() });
  }
  const endMs = atMs;
  for (const [kind, every] of Object.entries(KILLS_PER_FAULT)) {
    if (kind === "unfinished write" && !options.hasFiles) continue;
    // Every clock, and each ahead and behind.
    const least = kind === "clock jump" ? 2 * clocks.length : 1;
    const count = least === 0 ? 0 : Math.max(least, Math.floor(kills / every));
    for (let i = 0; i < count; i++) {
      const drawn =
        kind === "clock jump"
          ? drawJump(i, clocks, between)
          : drawFault(kind as Exclude<keyof typeof KILLS_PER_FAULT, "clock jump">, between, options.leaseMs);
      faults.push({ ...drawn, atMs: between(0, endMs), pick: random.uniform() });
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** Every victim by its share, what is left over to the rarest, in a random order. */
function dealVictims(random: Random, kills: number): readonly Victim[] {
  const dealt = VICTIMS.flatMap((victim) => Array<Victim>(Math.floor(kills * SHARES[victim])).fill(victim));
  for (let i = 0; dealt.length < kills; i++) dealt.push(VICTIMS.at(-1 - (i % VICTIMS.length))!);
  return [...random.permutation(kills)].map((i) => dealt[i]!);
}

/** Clocks take turns. Short jumps are as frequent as long ones. */
function drawJump(i: number, clocks: readonly ClockOwner[], between: (low: number, high: number) => number): FaultKind {
  const owner = clocks[i % clocks.length]!;
  const isAhead = Math.floor(i / clocks.length) % 2 === 0;
  const jumpMs = Math.round(Math.exp(between(Math.log(1_000), Math.log(LONGEST_JUMP_MS))));
  return { kind: "clock jump", owner, offsetMs: isAhead ? jumpMs : -jumpMs, forMs: between(1_000, 6_000) };
}

function drawFault(
  kind: Exclude<keyof typeof KILLS_PER_FAULT, "clock jump">,
  between: (low: number, high: number) => number,
  leaseMs: number,
): FaultKind {
  switch (kind) {
    case "zombie":
      return { kind, forMs: leaseMs + between(500, 4_000), withWorkers: between(0, 1) < 0.5 };
    case "cut":
      // From nothing at all to the middle of a large answer.
      return { kind, afterBytes: Math.floor(2 ** between(0, 17)) - 1, forMs: between(100, 2_000) };
    case "full disk":
      return { kind, maxBytes: Math.floor(2 ** between(16, 21)), forMs: between(1_000, 4_000) };
    case "cut in mid-upload":
    case "cut in mid-watch":
      return { kind, forMs: between(100, 2_000) };
    default:
      return { kind };
  }
}
