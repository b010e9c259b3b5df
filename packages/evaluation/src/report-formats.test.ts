import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { escapeMarkup } from "./escape-markup.ts";
import {
  compareExpressions,
  compareScores,
  comparisonDocument,
  detectorDocument,
  documentToJunit,
  documentToMarkdown,
  evaluate,
  evaluateExpressions,
  expressionComparisonDocument,
  expressionDocument,
} from "./index.ts";
import { documentToHtml } from "./page/index.ts";

const TITLE = 'models/<b>"&\u0007 on datasets/faces';

const detector = detectorDocument(
  evaluate({
    actionUnits: [4, 12, 45],
    probabilities: Float32Array.from({ length: 36 }, (_, i) => (i % 7) / 7),
    occurrence: Int8Array.from({ length: 36 }, (_, i) => (i % 3 === 2 ? -1 : i % 2)),
    subjects: Array.from({ length: 12 }, (_, i) => `s${i % 4}`),
    thresholds: [0.5, 0.5, 0.5],
    seed: 1,
    resamples: 50,
  }),
  TITLE,
);
const classifier = expressionDocument(
  evaluateExpressions({
    expressions: ["joy", "<i>rage</i>", "absent"],
    logits: Float32Array.from({ length: 24 }, (_, i) => (i * 5) % 7),
    labels: Int32Array.from({ length: 8 }, (_, i) => i % 2),
    subjects: Array.from({ length: 8 }, (_, i) => `s${i % 4}`),
    seed: 1,
    resamples: 50,
  }),
  TITLE,
);

const names = { title: TITLE, before: "models/<b>", after: "models/b" };
const bootstrap = { seed: 1, resamples: 50 };
const frames = Uint32Array.from({ length: 24 }, (_, i) => i);
const subjects = Array.from({ length: 24 }, (_, i) => `s${i % 6}`);
/** AU10 never occurs. */
const scoredUnits = (quality: number) => ({
  actionUnits: [4, 12, 10],
  thresholds: [0.5, 0.5, 0.5],
  frames,
  subjects,
  probabilities: Float32Array.from({ length: 72 }, (_, i) => quality * (i % 2) + ((i * 7) % 5) / 10),
  occurrence: Int8Array.from({ length: 72 }, (_, i) => (i % 3 === 2 ? 0 : i % 2)),
});
const detectors = comparisonDocument(compareScores(scoredUnits(0), scoredUnits(1), bootstrap), names);
/** "absent" never occurs. */
const scoredClasses = (errors: number) => ({
  expressions: ["joy", "<i>rage</i>", "absent"],
  frames,
  subjects,
  labels: Int32Array.from(frames, (frame) => frame % 2),
  logits: Float32Array.from({ length: 72 }, (_, i) => {
    const frame = Math.floor(i / 3);
    return ((frame * 5) % 12 < errors ? 1 - (frame % 2) : frame % 2) === i % 3 ? 1 : 0;
  }),
});
const classifiers = expressionComparisonDocument(
  compareExpressions(scoredClasses(7), scoredClasses(1), bootstrap),
  names,
);

describe("a report as a page", () => {
  it.each([
    ["of a detector", detector, 2],
    ["of a classifier", classifier, 2],
    ["of two detectors", detectors, 2],
    ["of two classifiers", classifiers, 2],
  ])("%s holds its charts and refers to nothing outside", async (_, document, charts) => {
    const page = await documentToHtml(document);
    const svgs = page.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(svgs).toHaveLength(charts);
    for (const svg of svgs) expect(XMLValidator.validate(svg)).toBe(true);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bhref=/);
    expect(page.match(/https?:\/\/[^"' ]+/g)?.filter((url) => !url.startsWith("http://www.w3.org/")) ?? []).toEqual([]);
  });

  it("shows names as text, whatever they are", async () => {
    const page = await documentToHtml(classifier);
    expect(page).toContain("<h1>models/&lt;b&gt;&quot;&amp;\ufffd on datasets/faces</h1>");
    expect(page).not.toMatch(/<b>|<i>/);
    expect(page).toContain("<td>&lt;i&gt;rage&lt;/i&gt;</td>");
  });

  it.each([
    ["of a detector", detector],
    ["of two classifiers", classifiers],
  ])("%s is read in light and dark: its text has the reader's colour and nothing a background", async (_, document) => {
    const page = await documentToHtml(document);
    expect(page).toContain("color-scheme: light dark");
    expect(new Set(page.match(/<text[^>]* fill="[^"]*"/g)?.map((tag) => tag.match(/ fill="([^"]*)"/)![1]))).toEqual(
      new Set(["currentColor"]),
    );
    expect(page).not.toMatch(/fill="(white|#fff(fff)?|black|#000(000)?)"/);
  });

  it("draws both models and the change of each figure that is defined", async () => {
    for (const document of [detectors, classifiers]) {
      const charts = (await documentToHtml(document)).match(/<svg.*?<\/svg>/gs)!;
      const blocks = document.blocks.flatMap((block) => (block.kind === "changes" ? [block.rows] : []));
      expect(charts).toHaveLength(blocks.length);
      for (const [i, rows] of blocks.entries()) {
        const defined = rows.filter(({ change }) => change.value !== undefined);
        expect(charts[i]!.match(/aria-roledescription="point"/g)).toHaveLength(3 * defined.length);
        for (const { name } of rows) expect(charts[i]!).toContain(`>${escapeMarkup(name)}</text>`);
      }
      expect(blocks[1]!.filter(({ change }) => change.value === undefined)).toHaveLength(2);
    }
  });

  it("has what is told from none in bold, as Markdown has", async () => {
    const strong = classifiers.blocks
      .flatMap((block) => (block.kind === "table" ? block.rows.flat() : []))
      .flatMap((cell) => (typeof cell === "string" ? [] : cell.strong));
    expect(strong).not.toEqual([]);
    const page = await documentToHtml(classifiers);
    expect(page.match(/<strong>(.*?)<\/strong>/g)).toEqual(strong.map((cell) => `<strong>${cell}</strong>`));
    expect(page).not.toContain("**");
    const markdown = documentToMarkdown(classifiers);
    for (const cell of strong) expect(markdown).toContain(`| **${cell}** |`);
  });

  it("keeps panels and lines in the order of the report", async () => {
    const [estimates, calibration] = (await documentToHtml(detector)).match(/<svg.*?<\/svg>/gs)!;
    const order = (svg: string, names: string[]) => names.map((name) => svg.indexOf(`>${name}</text>`));
    for (const [svg, names] of [
      [estimates!, ["F1", "AUC", "PR-AUC", "F1, swept"]],
      [estimates!, ["AU4", "AU12"]],
      [calibration!, ["AU4", "AU12"]],
    ] as const) {
      const places = order(svg, [...names]);
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });

  it("draws a point for each defined estimate, and none for others", async () => {
    const page = await documentToHtml(detector);
    const estimates = detector.blocks.flatMap((block) => (block.kind === "estimates" ? block.rows : []));
    const defined = estimates.filter(({ value }) => value !== undefined);
    expect(defined.length).toBeLessThan(estimates.length);
    const [chart] = page.match(/<svg.*?<\/svg>/s)!;
    expect(chart!.match(/aria-roledescription="point"/g)).toHaveLength(defined.length);
  });
});

describe("a report as JUnit XML", () => {
  const parse = (xml: string) => {
    expect(XMLValidator.validate(xml)).toBe(true);
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "",
      isArray: (tag) => tag === "testcase",
    });
    return parser.parse(xml).testsuites.testsuite;
  };

  it("has a case an action unit with its figures, skipped where none is defined", () => {
    const suite = parse(documentToJunit(detector));
    expect(suite).toMatchObject({ tests: "3", failures: "0", errors: "0", skipped: "0" });
    expect(suite.testcase.map(({ name }: { name: string }) => name)).toEqual(["AU4", "AU12", "AU45"]);
    expect(suite.testcase[0]["system-out"]).toMatch(
      /^F1: \d\.\d{3} \[.*\], knowing nothing \d\.\d{3}\nAUC: .*\nPR-AUC: .*\nF1, swept: \d\.\d{3} \[.*\], knowing/,
    );
    expect(suite["system-out"]).toContain("| **Mean** |");
    const classes = parse(documentToJunit(classifier));
    expect(classes).toMatchObject({ tests: "3", skipped: "1" });
    expect(classes.testcase[2]).toMatchObject({ name: "absent", skipped: expect.anything() });
    expect(classes.testcase[0]).not.toHaveProperty("skipped");
  });

  it("has a case a figure of all and of each that is compared, with both and the change", () => {
    const suite = parse(documentToJunit(classifiers));
    expect(suite).toMatchObject({ tests: "6", failures: "0", errors: "0", skipped: "1" });
    expect(suite.testcase.map(({ name }: { name: string }) => name)).toEqual([
      "Top-1 accuracy",
      "Mean class accuracy (UAR)",
      "Macro F1",
      "joy",
      "<i>rage</i>",
      "absent",
    ]);
    expect(suite.testcase[0]["system-out"]).toMatch(/^All classes: 0\.\d{3} \[.*\], then .*: change 0\.\d{3} \[.*\]$/);
    expect(suite.testcase[3]["system-out"]).toMatch(/^Recall: .*\nF1: /);
    expect(suite.testcase[5]).toMatchObject({ skipped: expect.anything() });
    expect(parse(documentToJunit(detectors)).testcase.map(({ name }: { name: string }) => name)).toEqual([
      "Macro AUC",
      "Mean F1",
      "AU4",
      "AU12",
      "AU10",
    ]);
  });

  it("is well-formed, whatever names are", () => {
    const suite = parse(documentToJunit(classifier));
    expect(suite.name).toBe('models/<b>"&\ufffd on datasets/faces');
    expect(suite.testcase[1].name).toBe("<i>rage</i>");
  });
});
