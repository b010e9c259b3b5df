import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FACE_OVAL_CONVENTION } from "@duchenne/data";
import { createModelConfig, exportOnnx, initialiseParameters } from "@duchenne/model";
import { createVisionEngine } from "@duchenne/vision";
import { expect, it } from "vitest";
import { temporaryFolder } from "../e2e/server-process.ts";
import { boxSensitivity, perturbedBoxes } from "./box-sensitivity.ts";
import { labelledPhotographs, readPackaged } from "./photographs.ts";

const ACTION_UNITS = [1, 2, 4, 12];

it("boxes are moved and scaled by a tenth, each in its own way", () => {
  const boxes = perturbedBoxes({ left: 100, top: 200, width: 50, height: 80 });
  expect(new Set(boxes.map((box) => JSON.stringify(box))).size).toBe(14);
  for (const { left, top, width, height } of boxes) {
    const moved = [(left + width / 2 - 125) / 50, (top + height / 2 - 240) / 80, width / 50 - 1, height / 80 - 1];
    for (const share of moved) expect([-0.1, 0, 0.1].some((step) => Math.abs(share - step) < 1e-9)).toBe(true);
    expect(moved.some((share) => Math.abs(share) > 0.09)).toBe(true);
  }
});

it("a model whose box is derived from landmarks depends less on the box that was found than one that crops it", async () => {
  await using folder = await temporaryFolder();
  const config = createModelConfig("micro", { actionUnits: ACTION_UNITS, numSubjects: 0, dropPath: 0 });
  // Not trained: the same function of the crop, whichever way the crop is made. A head of such small weights as it begins
  // with would answer 0.5 to everything.
  const parameters = initialiseParameters(config, 11);
  const head = parameters.get("head.weight")!.data;
  for (let i = 0; i < head.length; i++) head[i]! *= 50;
  const path = join(folder.path, "micro.onnx");
  await writeFile(path, exportOnnx(config, parameters));
  const engine = createVisionEngine({ workers: 1 });
  const { photographs } = await labelledPhotographs();
  const images = await Promise.all(photographs.slice(0, 4).map(({ path }) => readPackaged(path)));
  const meanChange = async (boxConvention: string | undefined) => {
    const actionUnits = ACTION_UNITS.map((actionUnit) => ({
      actionUnit,
      threshold: 0.5,
      thresholdOrigin: "convention" as const,
      thresholdNote: "",
    }));
    const source = { kind: "vit", path, imageSize: config.imageSize, description: "Not trained", actionUnits } as const;
    const model = await engine.load({ ...source, boxConvention });
    const changes = (await boxSensitivity(model, images)).map(({ mean }) => mean);
    await model.dispose();
    return changes.reduce((sum, change) => sum + change, 0) / changes.length;
  };
  const [derived, cropped] = [await meanChange(FACE_OVAL_CONVENTION), await meanChange(undefined)];
  console.log(
    `mean change of a score for boxes off by 10 %: derived ${derived.toFixed(4)}, cropped ${cropped.toFixed(4)}`,
  );
  expect(derived).toBeGreaterThan(0);
  expect(derived).toBeLessThan(cropped);
  await engine.close();
});
