import { createRandom } from "@duchenne/data";
import { loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import type { Rank, Scalar, Tensor1D } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { createMaeConfig, initialiseMaeParameters, maeParameterShapes, sinCosPositions } from "../index.ts";
import { createMae, maskFromNoise, maskTensors, patchesChannelLast } from "./index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

const noiseFor = (samples: number, patches: number, seed = 1) => {
  const random = createRandom([seed, "mask-test"]);
  return Float32Array.from({ length: samples * patches }, () => random.uniform());
};

describe("a mask", () => {
  it("keeps 49 of 196 patches, as published", () => {
    const { kept, masked } = maskFromNoise(noiseFor(2, 196), 196, 0.75);
    expect(kept.length).toBe(2 * 49);
    for (const sample of [masked.subarray(0, 196), masked.subarray(196)]) {
      expect(sample.reduce((sum, each) => sum + each, 0)).toBe(147);
    }
  });

  it("hides and restores: what is seen comes back to its place, what is hidden is the mask token", () => {
    const [batch, patches, dim] = [3, 12, 5];
    const mask = maskFromNoise(noiseFor(batch, patches), patches, 0.75);
    const { kept, places, masked } = maskTensors(tf, mask, patches);
    const x = tf.tensor(noiseFor(batch, patches * dim, 2), [batch * patches, dim]);
    const seen = tf.gather(x, kept as Tensor1D).reshape([batch, -1, dim]);
    const token = tf.fill([batch, patches - seen.shape[1]!, dim], 7);
    const restored = tf.gather(tf.concat([seen, token], 1).reshape([batch * patches, dim]), places as Tensor1D);
    const isMasked = masked.reshape([-1, 1]);
    const expected = x.mul(tf.scalar(1).sub(isMasked)).add(isMasked.mul(7));
    expect(restored.dataSync()).toEqual(expected.dataSync());
  });

  it("of nothing leaves every patch in its place", () => {
    const { kept, places, masked } = maskTensors(tf, maskFromNoise(noiseFor(2, 9), 9, 0), 9);
    const x = tf.range(0, 18);
    expect([...tf.gather(tf.gather(x, kept as Tensor1D), places as Tensor1D).dataSync()]).toEqual([...x.dataSync()]);
    expect(masked.sum().dataSync()[0]).toBe(0);
  });

  it("is undone by its restore order", () => {
    const patches = 12;
    const { kept, restore, masked } = maskFromNoise(noiseFor(3, patches), patches, 0.5);
    const keep = kept.length / 3;
    for (const [row, place] of restore.entries()) {
      const sample = Math.floor(row / patches);
      if (masked[row] === 0) expect(kept[sample * keep + place]).toBe(row);
      else expect(place).toBeGreaterThanOrEqual(keep);
    }
  });
});

describe("patches", () => {
  it("are flattened row, column, channel, and hold every pixel once", () => {
    const config = { imageSize: 4, patchSize: 2 };
    const pixels = Float32Array.from({ length: 3 * 16 }, (_, i) => i);
    const patches = patchesChannelLast(tf.tensor4d(pixels, [1, 3, 4, 4]), config).arraySync() as number[][][];
    // The first patch: rows 0 and 1, columns 0 and 1, red 0.., green 16.., blue 32...
    expect(patches[0]![0]).toEqual([0, 16, 32, 1, 17, 33, 4, 20, 36, 5, 21, 37]);
    expect(patches.flat(2).sort((a, b) => a - b)).toEqual([...pixels]);
  });

  it("put back together are the image", () => {
    const [batch, imageSize, patchSize] = [2, 24, 8];
    const images = tf.tensor4d(noiseFor(batch, 3 * imageSize ** 2), [batch, 3, imageSize, imageSize]);
    const patches = patchesChannelLast(images, { imageSize, patchSize });
    expect(patches.shape).toEqual([batch, 9, 192]);
    const pixels = patches.dataSync();
    const whole = new Float32Array(images.size);
    for (const [at, pixel] of pixels.entries()) {
      const channel = at % 3;
      const x = Math.floor(at / 3) % patchSize;
      const y = Math.floor(at / (3 * patchSize)) % patchSize;
      const patch = Math.floor(at / (3 * patchSize ** 2));
      const [b, row, column] = [Math.floor(patch / 9), Math.floor((patch % 9) / 3), patch % 3];
      const line = (b * 3 + channel) * imageSize + row * patchSize + y;
      whole[line * imageSize + column * patchSize + x] = pixel;
    }
    expect(whole).toEqual(images.dataSync());
  });
});

describe("the position table", () => {
  it("is zero for the class token, and encodes the column first", () => {
    const table = sinCosPositions(3, 8);
    expect([...table.subarray(0, 8)]).toEqual(Array(8).fill(0));
    const at = (row: number, column: number) => [...table.subarray((1 + row * 3 + column) * 8).subarray(0, 8)];
    expect(at(0, 0)).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(at(0, 2).slice(4)).toEqual([0, 0, 1, 1]);
    expect(at(2, 0).slice(0, 4)).toEqual([0, 0, 1, 1]);
    expect(at(1, 2)[0]).toBeCloseTo(Math.sin(2), 6);
    expect(at(1, 2)[4]).toBeCloseTo(Math.sin(1), 6);
    expect(at(1, 2)[1]).toBeCloseTo(Math.sin(2 / 100), 6);
  });
});

describe("a masked autoencoder", () => {
  it("of the published sizes has a decoder of 8 blocks and 512 dimensions", () => {
    const shapes = maeParameterShapes(createMaeConfig("large"));
    expect(shapes.get("decoder_embed.weight")).toEqual([512, 1024]);
    expect(shapes.get("decoder_pred.weight")).toEqual([768, 512]);
    expect([...shapes.keys()].filter((name) => /^decoder_blocks\.\d+\.norm1\.weight$/.test(name)).length).toBe(8);
  });

  it("learns nothing from patches that it sees", () => {
    const config = createMaeConfig("micro");
    const mae = createMae(tf, config, initialiseMaeParameters(config, 1));
    const pixels = Float32Array.from({ length: 3 * 96 * 96 }, (_, i) => Math.sin(0.01 * i));
    const mask = maskFromNoise(noiseFor(1, 144), 144, 0.75);
    const lossOf = (bright: number) => {
      const changed = pixels.slice();
      // One patch that is hidden, or one that is seen, gets another target.
      const patch = mask.masked.indexOf(bright);
      const [row, column] = [Math.floor(patch / 12) * 8, (patch % 12) * 8];
      for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) changed[(row + y) * 96 + column + x]! += 1;
      const target = tf.tensor4d(changed, [1, 3, 96, 96]);
      const shown = mae.forward(tf.tensor4d(pixels, [1, 3, 96, 96]), maskTensors(tf, mask, 144), {
        normPixLoss: false,
      });
      const errors = shown.prediction.sub(patchesChannelLast(target, config)).square().mean(-1);
      return errors
        .mul(tf.tensor(mask.masked, [1, 144]))
        .sum()
        .div(108)
        .dataSync()[0]!;
    };
    const { loss } = mae.forward(tf.tensor4d(pixels, [1, 3, 96, 96]), maskTensors(tf, mask, 144), {
      normPixLoss: false,
    });
    expect(lossOf(0)).toBeCloseTo(loss.dataSync()[0]!, 5);
    expect(Math.abs(lossOf(1) - loss.dataSync()[0]!)).toBeGreaterThan(1e-3);
    mae.dispose();
  });

  it("leaks no tensors over a step", () => {
    const config = createMaeConfig("micro");
    const mae = createMae(tf, config, initialiseMaeParameters(config, 1));
    const step = () =>
      tf.tidy(() => {
        const images = tf.zeros<Rank.R4>([1, 3, 96, 96]);
        const mask = maskFromNoise(noiseFor(1, 144), 144, 0.75);
        tf.variableGrads(
          () => mae.forward(images, maskTensors(tf, mask, 144), { normPixLoss: true }).loss as Scalar,
          [...mae.variables.values()],
        );
      });
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
    mae.dispose();
  });
});
