import type { Tensor } from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { relativeError, values } from "../../test-fixtures/fused-operations.ts";
import { attention, gelu, layerNorm, loadTensorFlow } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();
const D = 24;

describe("against loops in double precision", () => {
  it("gelu", () => {
    // Phi by its Taylor series: sum over k of (-1)^k x^(2k + 1) / (2^k k! (2k + 1)), over sqrt(2 pi).
    const phi = (x: number) => {
      let term = x;
      let sum = x;
      for (let k = 1; k < 200; k++) {
        term *= -(x * x) / (2 * k);
        sum += term / (2 * k + 1);
      }
      return 0.5 + sum / Math.sqrt(2 * Math.PI);
    };
    const x = Float32Array.from({ length: 801 }, (_, i) => (i - 400) / 100);
    const y = gelu(tf, tf.tensor1d(x)).dataSync();
    const slope = tf
      .grad((each: Tensor) => gelu(tf, each).sum())(tf.tensor1d(x))
      .dataSync();
    for (const [i, at] of x.entries()) {
      expect(Math.abs(y[i]! - at * phi(at)), `gelu(${at})`).toBeLessThan(3e-7 * Math.max(1, Math.abs(at)));
      const expected = phi(at) + (at * Math.exp((-at * at) / 2)) / Math.sqrt(2 * Math.PI);
      expect(Math.abs(slope[i]! - expected), `gelu'(${at})`).toBeLessThan(5e-7);
    }
    expect([...gelu(tf, tf.tensor1d([-1e4, 1e4, 0])).dataSync()].map(Math.abs)).toEqual([0, 1e4, 0]);
    expect(gelu(tf, tf.tensor1d([Number.NaN])).dataSync()[0]).toBeNaN();
  });

  it("layerNorm, also far from zero", () => {
    const x = values(tf, [4, 37], 1, 3).add(1000);
    const [data, y] = [x.dataSync(), layerNorm(tf, x, tf.ones([37]), tf.zeros([37]), 1e-6).dataSync()];
    for (let row = 0; row < 4; row++) {
      const each = Array.from(data.subarray(row * 37, (row + 1) * 37));
      const mean = each.reduce((sum, value) => sum + value, 0) / 37;
      const variance = each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 37;
      for (const [j, value] of each.entries()) {
        const expected = (value - mean) / Math.sqrt(variance + 1e-6);
        expect(Math.abs(y[row * 37 + j]! - expected)).toBeLessThan(1e-4);
      }
    }
  });

  it.each([1, 30])("attention, scores up to the order of %d squared", (size) => {
    const [tokens, heads, headDim] = [53, 2, 12];
    const qkv = values(tf, [1, tokens, 3 * D], 1, size);
    const [data, y] = [qkv.dataSync(), attention(tf, qkv, heads).dataSync()];
    const at = (part: number, token: number, head: number, j: number) =>
      data[token * 3 * D + part * D + head * headDim + j]!;
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < tokens; query++) {
        const scores = Array.from({ length: tokens }, (_, key) => {
          let sum = 0;
          for (let j = 0; j < headDim; j++) sum += at(0, query, head, j) * at(1, key, head, j);
          return sum / Math.sqrt(headDim);
        });
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (let j = 0; j < headDim; j++) {
          const expected = powers.reduce((sum, power, key) => sum + (power / total) * at(2, key, head, j), 0);
          // Rounding of a score of 10^3 moves its exponential by 10^-4.
          expect(Math.abs(y[query * D + head * headDim + j]! - expected)).toBeLessThan(2e-6 * size ** 3);
        }
      }
    }
  });

  it.each([1, 3])("attention's gradient, scores up to the order of %d squared", (size) => {
    const [tokens, heads, headDim] = [53, 2, 12];
    const qkv = values(tf, [1, tokens, 3 * D], 1, size);
    const dy = values(tf, [1, tokens, D], 2);
    const gradient = tf
      .grad((x: Tensor) => attention(tf, x, heads).mul(dy).sum())(qkv)
      .dataSync();
    const [data, weights] = [qkv.dataSync(), dy.dataSync()];
    const expected = new Float64Array(data.length);
    const place = (part: number, token: number, head: number) => token * 3 * D + part * D + head * headDim;
    const dot = (a: ArrayLike<number>, from: number, b: ArrayLike<number>, start: number) =>
      Array.from({ length: headDim }, (_, j) => a[from + j]! * b[start + j]!).reduce((sum, each) => sum + each, 0);
    const addTo = (to: number, factor: number, from: ArrayLike<number>, start: number) => {
      for (let j = 0; j < headDim; j++) expected[to + j]! += factor * from[start + j]!;
    };
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < tokens; query++) {
        const keys = [...Array(tokens).keys()];
        const [q, out] = [place(0, query, head), query * D + head * headDim];
        const powers = keys.map((key) => Math.exp(dot(data, q, data, place(1, key, head)) / Math.sqrt(headDim)));
        const total = powers.reduce((sum, power) => sum + power, 0);
        const slopes = keys.map((key) => dot(weights, out, data, place(2, key, head)));
        const mean = keys.reduce((sum, key) => sum + (powers[key]! / total) * slopes[key]!, 0);
        for (const key of keys) {
          const probability = powers[key]! / total;
          const slope = (probability * (slopes[key]! - mean)) / Math.sqrt(headDim);
          addTo(q, slope, data, place(1, key, head));
          addTo(place(1, key, head), slope, data, q);
          addTo(place(2, key, head), probability, weights, out);
        }
      }
    }
    expect(relativeError(gradient, expected)).toBeLessThan(1e-6 * size ** 2);
  });
});
