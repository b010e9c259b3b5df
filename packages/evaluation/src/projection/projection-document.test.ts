import { createRandom } from "@duchenne/data";
import { expect, it } from "vitest";
import { documentToMarkdown, projectFeatures, projectionDocument } from "../index.ts";

const random = createRandom(["projection document test"]);

/** 40 frames of 4 subjects, each with a feature of its own; every other one shows AU12, none AU4. */
const report = await projectFeatures({
  features: Float32Array.from({ length: 160 }, (_, i) => random.normal() + (i % 4 === Math.floor(i / 4) % 4 ? 9 : 0)),
  subjects: Array.from({ length: 40 }, (_, i) => `s${i % 4}`),
  actionUnits: [12, 4],
  occurrence: Int8Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? (i / 2) % 2 : 0)),
  frames: Array.from({ length: 40 }, (_, frame) => ({ frame, image: `${frame}.png` })),
  perplexity: 5.25,
  neighbours: 12,
  seed: 2,
  resamples: 50,
  signal: new AbortController().signal,
});

it("a projection is told to people with its figures, their chance and their ceiling", () => {
  const markdown = documentToMarkdown(projectionDocument(report, "Projection of a model"));
  expect(markdown).toContain("# Projection of a model");
  expect(markdown).toContain(
    "40 frames of 4 subjects. Intervals: 95 %, bootstrap over subjects (50 resamples, seed 2).",
  );
  expect(markdown).toContain(`perplexity 5.25, 1000 steps, divergence ${report.klDivergence.toFixed(3)} nats`);
  // 9 of the 39 others are of the same subject, and 12 are looked at.
  expect(markdown).toMatch(/\| Same subject \| 40 \| 0\.750 \[.*\] \| 0\.\d{3} \[.*\] \| 0\.231 \| 0\.750 \|/);
  expect(markdown.match(/\| AU12 Lip corner puller \| 20 \|/g)).toHaveLength(2);
  expect(
    markdown.match(/\| AU4 Brow lowerer \| 0 \| undefined \| undefined \| undefined \| undefined \|/g),
  ).toHaveLength(2);
  expect(markdown).not.toContain("more equally near neighbours");
});

it("a projection tells of frames whose neighbours are copies", () => {
  const markdown = documentToMarkdown(projectionDocument({ ...report, offPerplexity: 7 }, "Projection"));
  expect(markdown).toContain("7 of 40 frames have more equally near neighbours than the perplexity");
});
