import { describe, expect, it } from "vitest";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";
import { createSyntheticFrame } from "../frame.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { PROTOCOL_PREVALENCE } from "./protocol-prevalence.ts";
import { chooseProtocolSubjects, createProtocolSubjects } from "./protocol-subjects.ts";

const protocols = Object.keys(ACTION_UNIT_PROTOCOLS) as ActionUnitProtocolName[];
const at = (number: number) => SYNTHFACS_ACTION_UNITS.indexOf(number);

describe.each(protocols)("subjects of %s", (protocol) => {
  const framesEach = 100;
  const occurrences = (shortcut: number) =>
    createProtocolSubjects(7, protocol, shortcut).map((subject) => {
      const frames = Array.from({ length: framesEach }, (_, f) => createSyntheticFrame(7, subject, f).intensities);
      return SYNTHFACS_ACTION_UNITS.map((_, a) => frames.filter((frame) => frame[a]! >= 2).length / framesEach);
    });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it.each([0, 0.5, 1])("together show each action unit as often as published, at a shortcut of %f", (shortcut) => {
    const shares = occurrences(shortcut);
    for (const [number, published] of PROTOCOL_PREVALENCE[protocol]) {
      const share = mean(shares.map((row) => row[at(number)]!));
      // What independent draws would miss by at most, once in 370 times: occurrences are spread more evenly than those.
      const error = 3 * Math.sqrt((published * (1 - published)) / (shares.length * framesEach));
      expect(Math.abs(share - published), `AU${number} ${share} ${published}`).toBeLessThan(error);
    }
  });

  it("differ in their rates only with a shortcut", () => {
    const rates = (shortcut: number) => createProtocolSubjects(7, protocol, shortcut).map(({ baseRates }) => baseRates);
    const [alike, apart] = [rates(0), rates(1)];
    for (const number of PROTOCOL_PREVALENCE[protocol].keys()) {
      const column = (rows: typeof alike) => rows.map((row) => row[at(number)]!);
      const [rate] = column(alike);
      expect(column(alike)).toEqual(alike.map(() => rate));
      expect(Math.max(...column(apart)), `AU${number}`).toBeGreaterThan(1.5 * rate!);
      expect(Math.min(...column(apart)), `AU${number}`).toBeLessThan(0.5 * rate!);
    }
  });

  it("show what is not coded seldom, but for lips that others part", () => {
    const shares = occurrences(0);
    const uncoded = SYNTHFACS_ACTION_UNITS.filter(
      (number) => !PROTOCOL_PREVALENCE[protocol].has(number) && number !== 25,
    );
    for (const number of uncoded) {
      const share = mean(shares.map((row) => row[at(number)]!));
      expect(share, `AU${number}`).toBeGreaterThan(0.005);
      expect(share, `AU${number}`).toBeLessThan(0.05);
    }
  });

  it("have the names of the published list, and look as they do without a protocol but for F and M", () => {
    const subjects = createProtocolSubjects(7, protocol, 0.5);
    expect(subjects.map(({ name }) => name)).toEqual(ACTION_UNIT_PROTOCOLS[protocol].subjects);
    for (const [index, { name, shape, iris, skinDepth, beard }] of subjects.entries()) {
      const masculine = protocol === "disfa" ? undefined : name.startsWith("M");
      const same = createSyntheticSubject(7, index, 0, { masculine });
      expect({ shape, iris, skinDepth }).toEqual({ shape: same.shape, iris: same.iris, skinDepth: same.skinDepth });
      if (name.startsWith("F")) expect(beard.style).toBe("none");
    }
    const bearded = subjects.filter(({ beard }) => beard.style !== "none");
    expect(bearded.length).toBeGreaterThan(0);
  });

  it("that are fewer than published are the first of each fold in turn", () => {
    const { subjects, folds } = ACTION_UNIT_PROTOCOLS[protocol];
    const names = (count: number) => chooseProtocolSubjects(protocol, count).map((index) => subjects[index]!);
    expect(new Set(names(folds.length))).toEqual(new Set(folds.map(([first]) => first)));
    expect(new Set(names(folds.length + 1))).toEqual(new Set([...folds.map(([first]) => first), folds[0]![1]]));
    expect(names(subjects.length)).toEqual(subjects);
  });
});
