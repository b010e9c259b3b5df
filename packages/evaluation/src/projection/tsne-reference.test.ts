import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { jointProbabilities, squaredDistances } from "./joint-probabilities.ts";
import { klDivergence, klGradient } from "./tsne.ts";
import { createTurns } from "./turns.ts";

// What scikit-learn computes: test/reference/make_tsne_fixture.py.
const numbers = z.array(z.number());
const cases = z
  .array(
    z.object({
      name: z.string(),
      perplexity: z.number(),
      dimensions: z.int(),
      features: numbers,
      probabilities: numbers,
      coordinates: numbers,
      klDivergence: z.number(),
      gradient: numbers,
    }),
  )
  .parse(JSON.parse(readFileSync(new URL("../../../../test/reference/fixtures/tsne.json", import.meta.url), "utf8")));
const turns = createTurns(new AbortController().signal);

/** Both bisections end within 1e-5 nats of the perplexity's entropy, at other places. */
const BISECTION = 1e-4;

describe("as scikit-learn's t-SNE", () => {
  it.each(cases)("of $name", async ({ perplexity, dimensions, ...expected }) => {
    const features = Float32Array.from(expected.features);
    const points = features.length / dimensions;
    const distances = await squaredDistances(features, points, turns);
    const { probabilities } = await jointProbabilities(distances, points, perplexity, turns);
    for (const [pair, probability] of expected.probabilities.entries()) {
      expect(Math.abs(probabilities[pair]! - probability), `pair ${pair}`).toBeLessThan(
        BISECTION * (probability + 1e-4),
      );
    }
    // Of the very same probabilities, but for their rounding to single precision.
    const given = Float32Array.from(expected.probabilities);
    const coordinates = Float64Array.from(expected.coordinates);
    expect(klDivergence(given, coordinates)).toBeCloseTo(expected.klDivergence, 5);
    const gradient = new Float64Array(coordinates.length);
    klGradient(given, coordinates, 1, gradient);
    for (const [i, slope] of expected.gradient.entries()) {
      expect(Math.abs(gradient[i]! - slope), `slope ${i}`).toBeLessThan(1e-6 * (1 + Math.abs(slope)));
    }
  });
});
