import { XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { ReportDocument, ScatterPoint } from "../report-document.ts";
import { documentToHtml } from "./document-to-html.ts";
import { markColour, markPath } from "./scatter-marks.ts";

const points = Array.from(
  { length: 30 },
  (_, i): ScatterPoint => ({
    x: Math.cos(i),
    y: 3 * Math.sin(i),
    subject: i % 3 === 0 ? "<b>s10" : i % 3 === 1 ? "s9" : "s2",
    image: `images/"${i}".png`,
    labels: [i % 2 === 0 ? 1 : 0, i < 4 ? null : 0],
  }),
);
const actionUnits = [
  { name: "AU12", description: "Lip corner puller" },
  { name: "AU4", description: "Brow lowerer" },
];
const document = (more: object = {}): ReportDocument => ({
  title: "Projection",
  blocks: [{ kind: "scatter", caption: "Frames & subjects", points, actionUnits, ...more }],
});

describe("a scatter plot", () => {
  it("has a mark for each point, with what it can be coloured by", async () => {
    const page = await documentToHtml(document());
    const [plot] = page.match(/<svg class="points".*?<\/svg>/s)!;
    expect(XMLValidator.validate(plot!)).toBe(true);
    const marks = [...plot!.matchAll(/<path class="(s\d)([^"]*)" d="M(-?[\d.]+) (-?[\d.]+)/g)];
    expect(marks).toHaveLength(30);
    expect(marks.filter(([, , classes]) => classes!.includes("p0"))).toHaveLength(15);
    expect(marks.filter(([, , classes]) => classes!.includes("n1"))).toHaveLength(4);
    expect(page).toContain('<i class="present"></i>present in 15</b> <b><i class="absent"></i>absent in 15</b></span>');
    expect(page).toContain('<i class="absent"></i>absent in 26</b> <b><i class="unknown"></i>unknown in 4</b></span>');
    const [, , width, height] = /viewBox="(\d+) (\d+) (\d+) (\d+)"/.exec(plot!)!.slice(1).map(Number);
    for (const [, , , x, y] of marks) {
      expect(Number(x)).toBeGreaterThan(0);
      expect(Number(x)).toBeLessThan(width!);
      expect(Number(y)).toBeGreaterThan(0);
      expect(Number(y)).toBeLessThan(height!);
    }
  });

  it("lists subjects by their numbers, and shows names as text", async () => {
    const page = await documentToHtml(document());
    const listed = [...page.matchAll(/<label class="s(\d)">.*?<\/svg>(.*?)<\/label>/g)].map(([, kind, name]) => [
      kind,
      name,
    ]);
    expect(listed).toEqual([
      ["0", "&lt;b&gt;s10"],
      ["1", "s2"],
      ["2", "s9"],
    ]);
    expect(page).not.toContain("<b>s10");
    expect(page).toContain("<title>&lt;b&gt;s10 · images/&quot;0&quot;.png · AU12</title>");
    expect(page).toContain("<figcaption>Frames &amp; subjects</figcaption>");
  });

  it("refers to nothing outside, and runs nothing", async () => {
    const page = await documentToHtml(document());
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bhref=|\bon\w+=/);
    expect(page.match(/https?:\/\//g)).toBeNull();
  });

  it("is drawn of points in one place or on one line, too", async () => {
    for (const place of [{ x: 1, y: 2 }, { x: 1 }, { y: 2 }]) {
      const page = await documentToHtml(document({ points: points.map((point) => ({ ...point, ...place })) }));
      expect(page).not.toMatch(/NaN|Infinity/);
    }
  });

  it("has 60 marks that differ in colour or shape", () => {
    const marks = Array.from({ length: 60 }, (_, i) => `${markColour(i)} ${markPath(i, 0, 0, 5)}`);
    expect(new Set(marks).size).toBe(60);
  });
});
