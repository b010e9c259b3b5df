import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ACTION_UNIT_PROTOCOLS } from "@duchenne/data";
import {
  exportOnnx,
  type ImportedWeights,
  type ImportOptions,
  importWeights,
  interpolatePositions,
  openWeights,
  type Parameter,
  readSafetensors,
  type VitConfig,
} from "@duchenne/model";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";

const detector: ImportOptions = { actionUnits: ACTION_UNIT_PROTOCOLS.bp4d.actionUnits, heads: 3 };
const classifier: ImportOptions = { expressions: ["a", "b", "c", "d", "e", "f", "g"], heads: 3 };
const mae: ImportOptions = { heads: 3, decoderHeads: 2 };

let expected: ReadonlyMap<string, Parameter>;
beforeAll(async () => {
  expected = readSafetensors(await readFile(fixture("expected.safetensors"))).parameters;
});

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/weights/${name}`, import.meta.url));
async function imported(name: string, options: ImportOptions): Promise<ImportedWeights> {
  await using file = await openWeights(fixture(name));
  // Awaited here: the file closes at the end of this block.
  return await importWeights(file, options);
}
/** What the fixture's script kept below a prefix, but moments. */
function kept(prefix: string): [string, Parameter][] {
  const below = [...expected].filter(([name]) => name.startsWith(`${prefix}.`) && !/^\w+\.(first|second)\./.test(name));
  return below.map(([name, value]) => [name.slice(prefix.length + 1), value]);
}
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

describe("weights written by PyTorch", () => {
  it.each([
    ["detector.pth", "detector", detector],
    ["detector-1.8.pth", "detector", detector],
    ["detector-views.pth", "detector", detector],
    ["mae.pth", "mae", mae],
  ] as const)("%s is read exactly", async (name, prefix, options) => {
    const { parameters, report } = await imported(name, options);
    expect(report).toEqual({ missing: [], unexpected: [], reshaped: [], ignored: [], notes: [] });
    expect(Object.fromEntries(parameters)).toEqual(Object.fromEntries(kept(prefix)));
  });

  it.each([
    ["detector-fp16.pth", 2 ** -11],
    ["detector-bf16.pth", 2 ** -8],
    ["detector-bf16.safetensors", 2 ** -8],
  ] as const)("%s is read to its precision", async (name, relative) => {
    const { parameters } = await imported(name, detector);
    expect(parameters.size).toBe(kept("detector").length);
    for (const [parameter, { shape, data }] of kept("detector")) {
      const read = parameters.get(parameter)!;
      expect(read.shape).toEqual(shape);
      for (const [i, value] of data.entries()) {
        expect(Math.abs(read.data[i]! - value), parameter).toBeLessThanOrEqual(
          Math.max(Math.abs(value) * relative, 2 ** -24),
        );
      }
    }
  });

  it("shapes say what the model is; its training says how deep its stochastic depth was", async () => {
    const encoder = { variant: "custom", imageSize: 16, patchSize: 4, dim: 12, depth: 2, heads: 3 };
    expect((await imported("detector.pth", detector)).config).toEqual({
      kind: "vit",
      ...encoder,
      actionUnits: [...ACTION_UNIT_PROTOCOLS.bp4d.actionUnits],
      numSubjects: 5,
      identityLayers: 1,
      dropPath: 0.2,
    });
    expect((await imported("classifier.pth", classifier)).config).toEqual({
      kind: "vit-expression",
      ...encoder,
      expressions: ["a", "b", "c", "d", "e", "f", "g"],
      dropPath: 0.2,
    });
    expect((await imported("mae.pth", mae)).config).toEqual({
      kind: "mae",
      ...encoder,
      decoderDim: 8,
      decoderDepth: 1,
      decoderHeads: 2,
    });
  });

  it("the classifier of an expression model is AU_head; its unused head is left out", async () => {
    const { parameters, report } = await imported("classifier.pth", classifier);
    const renamed = kept("classifier").map(([name, value]) => [name.replace("AU_head", "head"), value]);
    expect(Object.fromEntries(parameters)).toEqual(Object.fromEntries(renamed));
    expect(report.ignored.map(({ name }) => name)).toEqual(["head.weight", "head.bias"]);
  });

  it("an encoder alone becomes a masked autoencoder with a new decoder", async () => {
    const { config, parameters, report } = await imported("mae-encoder.pth", { heads: 3 });
    expect(config).toMatchObject({ kind: "mae", decoderDim: 512, decoderDepth: 8, decoderHeads: 16 });
    expect(report.missing).toHaveLength(104);
    expect(report.missing.every((name) => /^(decoder_|mask_token)/.test(name))).toBe(true);
    expect(report.notes).toEqual(["The file holds the encoder alone: the decoder is new and untrained."]);
    for (const [name, value] of kept("mae")) {
      if (!report.missing.includes(name)) expect(parameters.get(name), name).toEqual(value);
    }
  });

  it.each([
    ["detector.pth", "detector", detector],
    ["detector-1.8.pth", "detector", detector],
    ["classifier.pth", "classifier", classifier],
    ["mae.pth", "mae", mae],
  ] as const)("%s: Adam's moments belong to the parameters that they are of", async (name, prefix, options) => {
    const { optimizer, report } = await imported(name, { ...options, optimizer: true });
    expect(report.notes).toEqual([]);
    expect(optimizer?.step).toBe(2);
    for (const [kind, moments] of [
      ["first", optimizer!.firstMoments],
      ["second", optimizer!.secondMoments],
    ] as const) {
      const below = [...expected].filter(([each]) => each.startsWith(`${prefix}.${kind}.`));
      expect(moments.size).toBe(below.length);
      for (const [each, { data }] of below) {
        const parameter = each.slice(`${prefix}.${kind}.`.length).replace("AU_head", "head");
        expect(moments.get(parameter), each).toEqual(data);
      }
    }
  });

  it("an imported detector answers what PyTorch's does", async () => {
    const { config, parameters } = await imported("detector-1.8.pth", detector);
    const session = await InferenceSession.create(exportOnnx(config as VitConfig, parameters));
    const { data, shape } = expected.get("forward.images")!;
    const { logits } = await session.run({ image: new Tensor("float32", data, [...shape]) });
    expect(largest(logits!.data as Float32Array, expected.get("forward.logits")!.data)).toBeLessThan(2e-5);
    await session.release();
  });

  it("a file in the old format says how to save it again", async () => {
    await expect(openWeights(fixture("legacy.pth"))).rejects.toMatchObject({
      reason: "LEGACY_PTH",
      message: expect.stringContaining('torch.save(torch.load("old.pth", map_location="cpu"), "new.pth")'),
    });
  });
});

describe("position embeddings of another grid", () => {
  it.each([2, 3, 7])("agree with torch's bicubic interpolation (4 to %d)", (side) => {
    const { data } = expected.get("detector.pos_embed")!;
    const resized = interpolatePositions(data, 4, side);
    expect(largest(resized, expected.get(`positions.${side}`)!.data)).toBeLessThan(1e-7);
  });

  it("are interpolated on request, and reported", async () => {
    const { config, parameters, report } = await imported("detector.pth", {
      ...detector,
      imageSize: 28,
      optimizer: true,
    });
    expect(config.imageSize).toBe(28);
    expect(report.reshaped).toEqual([{ name: "pos_embed", from: [1, 17, 12], to: [1, 50, 12] }]);
    expect(largest(parameters.get("pos_embed")!.data, expected.get("positions.7")!.data)).toBeLessThan(1e-7);
    expect(report.notes).toEqual(["The optimizer state was left out: it is of other position embeddings."]);
  });
});

describe("what a caller says about a file", () => {
  const fieldsOf = async (name: string, options: ImportOptions) => {
    const error = await imported(name, options).catch((thrown: unknown) => thrown);
    return (error as { violations: { field: string }[] }).violations.map(({ field }) => field);
  };

  it("has to fit its outputs", async () => {
    expect(await fieldsOf("detector.pth", { heads: 3 })).toEqual(["actionUnits"]);
    expect(await fieldsOf("detector.pth", { heads: 3, actionUnits: ACTION_UNIT_PROTOCOLS.disfa.actionUnits })).toEqual([
      "actionUnits",
    ]);
    expect(await fieldsOf("detector.pth", { ...detector, expressions: ["a"] })).toEqual(["actionUnits"]);
    const twice = [1, 1, 4, 6, 7, 10, 12, 14, 15, 17, 23, 999];
    expect(await fieldsOf("detector.pth", { heads: 3, actionUnits: twice, subjects: ["s"] })).toEqual([
      "actionUnits",
      "actionUnits",
      "subjects",
    ]);
    expect(await fieldsOf("classifier.pth", { heads: 3, expressions: ["happy", "sad"] })).toEqual(["expressions"]);
    expect(await fieldsOf("mae.pth", { ...mae, actionUnits: [1] })).toEqual(["actionUnits"]);
  });

  it("has to fit its shapes", async () => {
    expect(await fieldsOf("detector.pth", { ...detector, heads: undefined })).toEqual(["heads"]);
    expect(await fieldsOf("detector.pth", { ...detector, heads: 5 })).toEqual(["heads"]);
    expect(await fieldsOf("mae.pth", { heads: 3 })).toEqual(["decoderHeads"]);
    expect(await fieldsOf("detector.pth", { ...detector, imageSize: 30 })).toEqual(["imageSize"]);
  });
});
