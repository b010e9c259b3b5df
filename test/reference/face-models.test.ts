import { readFile } from "node:fs/promises";
import { FACE_MODEL_SOURCES, findFaceModels } from "@duchenne/vision/provision";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";

interface Fixture {
  readonly taskSha256: string;
  readonly cases: readonly {
    readonly model: string;
    readonly a: number;
    readonly b: number;
    readonly shape: readonly number[];
    readonly outputs: readonly (readonly number[])[];
  }[];
}

const fixture: Fixture = JSON.parse(await readFile(new URL("./fixtures/face-models.json", import.meta.url), "utf8"));
const files = findFaceModels()!;
const paths: Record<string, string> = {
  "face_landmarks_detector.tflite": files.landmarks,
  "face_blendshapes.tflite": files.blendshapes,
};

it("the fixture was made from the pinned file", () => {
  expect(fixture.taskSha256).toBe(FACE_MODEL_SOURCES.faceLandmarker.sha256);
});

it.each(fixture.cases)(
  "the converted $model answers what LiteRT answers ($a, $b)",
  async ({ model, a, b, shape, outputs }) => {
    const session = await InferenceSession.create(paths[model]!);
    const size = shape.reduce((product, length) => product * length, 1);
    const input = Float32Array.from({ length: size }, (_, i) => 0.5 + 0.5 * Math.sin(a * i + b));
    const answers = await session.run({ input: new Tensor("float32", input, [...shape]) });
    for (const [which, expected] of outputs.entries()) {
      const actual = answers[session.outputNames[which]!]!.data as Float32Array;
      expect(actual.length).toBe(expected.length);
      // Landmarks are in pixels of 256, blendshapes in 0..1: both within 1e-4 of their range.
      const range = Math.max(1, ...expected.map(Math.abs));
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
      expect(worst / range, `output ${which}`).toBeLessThan(1e-4);
    }
    await session.release();
  },
);
