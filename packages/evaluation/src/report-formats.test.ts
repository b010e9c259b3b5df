import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { detectorDocument, documentToJunit, evaluate, evaluateExpressions, expressionDocument } from "./index.ts";
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

describe("a report as a page", () => {
  it.each([
    ["of a detector", detector, 2],
    ["of a classifier", classifier, 2],
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

  it("is read in light and dark: its text has the reader's colour and nothing a background", async () => {
    const page = await documentToHtml(detector);
    expect(page).toContain("color-scheme: light dark");
    expect(new Set(page.match(/<text[^>]* fill="[^"]*"/g)?.map((tag) => tag.match(/ fill="([^"]*)"/)![1]))).toEqual(
      new Set(["currentColor"]),
    );
    expect(page).not.toMatch(/fill="(white|#fff(fff)?|black|#000(000)?)"/);
  });

  it("keeps panels and lines in the order of the report", async () => {
    const [estimates, calibration] = (await documentToHtml(detector)).match(/<svg.*?<\/svg>/gs)!;
    const order = (svg: string, names: string[]) => names.map((name) => svg.indexOf(`>${name}</text>`));
    for (const [svg, names] of [
      [estimates!, ["F1", "AUC", "PR-AUC"]],
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
      /^F1: \d\.\d{3} \[.*\], knowing nothing \d\.\d{3}\nAUC: .*\nPR-AUC: /,
    );
    expect(suite["system-out"]).toContain("| **Mean** |");
    const classes = parse(documentToJunit(classifier));
    expect(classes).toMatchObject({ tests: "3", skipped: "1" });
    expect(classes.testcase[2]).toMatchObject({ name: "absent", skipped: expect.anything() });
    expect(classes.testcase[0]).not.toHaveProperty("skipped");
  });

  it("is well-formed, whatever names are", () => {
    const suite = parse(documentToJunit(classifier));
    expect(suite.name).toBe('models/<b>"&\ufffd on datasets/faces');
    expect(suite.testcase[1].name).toBe("<i>rage</i>");
  });
});
