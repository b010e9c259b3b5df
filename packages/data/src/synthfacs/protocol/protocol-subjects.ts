import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";
import { SETTLED_BY_OTHERS, settledRates } from "../settle.ts";
import {
  createSyntheticSubject,
  rateOf,
  SYNTHFACS_ACTION_UNITS,
  type SyntheticSubject,
  subjectHabits,
} from "../subject.ts";
import { PROTOCOL_PREVALENCE, UNCODED_RATE } from "./protocol-prevalence.ts";

/**
 * Synthetic people in place of all subjects of a published data set, under their names and in their order; F and M in
 * names of BP4D and BP4D+ are women and men. Over all of them together each coded action unit occurs as often as published,
 * whatever `identityShortcut` does to single ones; those that are not coded are seldom drawn.
 */
export function createProtocolSubjects(
  seed: number,
  protocol: ActionUnitProtocolName,
  identityShortcut: number,
): SyntheticSubject[] {
  const { subjects } = ACTION_UNIT_PROTOCOLS[protocol];
  const habits = subjects.map((_, index) => subjectHabits(seed, index));
  const rates = calibratedRates(PROTOCOL_PREVALENCE[protocol], habits, identityShortcut);
  return subjects.map((name, index) => {
    const masculine = name.startsWith("M") ? true : name.startsWith("F") ? false : undefined;
    return { ...createSyntheticSubject(seed, index, 0, { masculine }), name, baseRates: rates[index]! };
  });
}

/**
 * Which subjects of the published list a set of `count` has, by their places in it: one of fold 1, one of fold 2 and so on,
 * then the next of each, so that every fold has some; in the list's order.
 *
 * @throws {RangeError} when a fold would be empty, and when there are not so many subjects
 */
export function chooseProtocolSubjects(protocol: ActionUnitProtocolName, count: number): number[] {
  const { least, most } = protocolSubjectRange(protocol);
  if (count < least || count > most) {
    throw new RangeError(`Expected ${least} to ${most} subjects for ${protocol}, got ${count}`);
  }
  const { subjects, folds } = ACTION_UNIT_PROTOCOLS[protocol];
  const longest = Math.max(...folds.map(({ length }) => length));
  const dealt = Array.from({ length: longest }, (_, place) => folds.flatMap((fold) => fold[place] ?? [])).flat();
  const chosen = new Set(dealt.slice(0, count));
  return [...subjects.keys()].filter((index) => chosen.has(subjects[index]!));
}

/** How many subjects a set of a protocol may have: at least one a fold, at most those of the published list. */
export function protocolSubjectRange(protocol: ActionUnitProtocolName): {
  readonly least: number;
  readonly most: number;
} {
  const { subjects, folds } = ACTION_UNIT_PROTOCOLS[protocol];
  return { least: folds.length, most: subjects.length };
}

/**
 * Rates to draw action units at, by subject, such that they occur as often as `prevalence` says in all subjects' frames
 * together, after `settle` took some away and added others.
 */
function calibratedRates(
  prevalence: ReadonlyMap<number, number>,
  habits: readonly (readonly number[])[],
  identityShortcut: number,
): number[][] {
  const drawn = habits.map(() => new Map(SYNTHFACS_ACTION_UNITS.map((number) => [number, 0])));
  const dependent: readonly number[] = SETTLED_BY_OTHERS;
  const independent = SYNTHFACS_ACTION_UNITS.filter((number) => !dependent.includes(number));
  for (const number of [...independent, ...dependent]) {
    const a = SYNTHFACS_ACTION_UNITS.indexOf(number);
    const coded = prevalence.get(number);
    const set = (logit: number) => {
      for (const [s, rates] of drawn.entries()) rates.set(number, rateOf(logit, habits[s]![a]!, identityShortcut));
    };
    const mean = () => {
      const of = (rates: ReadonlyMap<number, number>) =>
        (coded === undefined ? rates : settledRates(rates)).get(number)!;
      return drawn.reduce((sum, rates) => sum + of(rates), 0) / drawn.length;
    };
    const wanted = coded ?? UNCODED_RATE;
    // The mean grows with the logit: halving finds it, to far less than a frame in a million.
    let [low, high] = [-20, 20];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      set(middle);
      if (mean() < wanted) low = middle;
      else high = middle;
    }
  }
  return drawn.map((rates) => SYNTHFACS_ACTION_UNITS.map((number) => rates.get(number)!));
}
