import { describe, expect, it } from "vitest";
import {
  createExpressionConfig,
  createMaeConfig,
  createModelConfig,
  initialiseFrom,
  initialiseMaeParameters,
  initialiseParameters,
  type MaeConfig,
  maeParameterShapes,
  type Parameter,
  type ParameterSet,
  parameterShapes,
  type VitConfig,
} from "../index.ts";

const heads = { actionUnits: [1, 4, 12], numSubjects: 5, dropPath: 0.1 };
const detector = createModelConfig("micro", heads);
const classifier = createExpressionConfig("micro", { expressions: ["a", "b", "c"], dropPath: 0 });
const mae = createMaeConfig("micro");
const kinds = { detector, classifier, mae };

/** Parameters of which none is what a new model starts with. */
function trained(config: VitConfig | MaeConfig): { config: VitConfig | MaeConfig; parameters: ParameterSet } {
  const initial = config.kind === "mae" ? initialiseMaeParameters(config, 99) : initialiseParameters(config, 99);
  const moved = [...initial].map(([name, { shape, data }]): [string, Parameter] => [
    name,
    { shape, data: data.map((value) => value + 0.25) },
  ]);
  return { config, parameters: new Map(moved) };
}
const isEncoder = (name: string) => /^(cls_token|pos_embed|patch_embed\.|blocks\.)/.test(name);
const namesOf = (config: VitConfig | MaeConfig) => [
  ...(config.kind === "mae" ? maeParameterShapes(config) : parameterShapes(config)).keys(),
];

describe("what a training starts from", () => {
  const pairs = Object.keys(kinds).flatMap((from) => Object.keys(kinds).map((to) => [from, to] as const));
  it.each(pairs)("takes the encoder of any into any, and tells of every parameter (%s to %s)", (from, to) => {
    const source = trained(kinds[from as keyof typeof kinds]);
    const target = kinds[to as keyof typeof kinds];
    const { parameters, report } = initialiseFrom(target, 7, source);
    expect([...parameters.keys()]).toEqual(namesOf(target));
    for (const name of namesOf(target).filter(isEncoder))
      expect(parameters.get(name), name).toBe(source.parameters.get(name));
    const isNew = (name: string) => parameters.get(name) !== source.parameters.get(name);
    const fresh = namesOf(target).filter((name) => isNew(name) && !source.parameters.has(name));
    expect(report.missing.sort()).toEqual(fresh.sort());
    const left = [...report.unexpected, ...report.ignored.map(({ name }) => name)];
    expect(left.sort()).toEqual([...source.parameters.keys()].filter(isNew).sort());
    expect(initialiseFrom(target, 7, source).parameters).toEqual(parameters);
  });

  it("of a masked autoencoder: fc_norm at 1 and 0, its own norm dropped, heads as in a new model", () => {
    const { parameters, report } = initialiseFrom(detector, 7, trained(mae));
    expect(new Set(parameters.get("fc_norm.weight")!.data)).toEqual(new Set([1]));
    expect(new Set(parameters.get("fc_norm.bias")!.data)).toEqual(new Set([0]));
    expect(report.unexpected).toEqual(expect.arrayContaining(["norm.weight", "norm.bias", "mask_token"]));
    const fresh = initialiseParameters(detector, 7);
    for (const name of ["head.bias", "ID_head.weight", "ID_head.bias"])
      expect(parameters.get(name)).toEqual(fresh.get(name));
  });

  it("of a detector: head.weight is drawn anew, head.bias and ID_head are kept", () => {
    const source = trained(detector);
    const { parameters, report } = initialiseFrom(detector, 7, source);
    const { data } = parameters.get("head.weight")!;
    const std = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    expect(std).toBeGreaterThan(1.7e-5);
    expect(std).toBeLessThan(2.3e-5);
    expect(Math.max(...data.map(Math.abs))).toBeLessThan(2e-4);
    expect(report.ignored).toEqual([{ name: "head.weight", reason: "drawn anew, as the reference does" }]);
    expect(initialiseFrom(detector, 8, source).parameters.get("head.weight")!.data).not.toEqual(data);
    for (const [name, value] of source.parameters) if (name !== "head.weight") expect(parameters.get(name)).toBe(value);
  });

  it("of a detector with other outputs and subjects: those heads start as in a new model", () => {
    const other = createModelConfig("micro", { ...heads, actionUnits: [1, 2], numSubjects: 9 });
    const { parameters, report } = initialiseFrom(other, 7, trained(detector));
    const fresh = initialiseParameters(other, 7);
    for (const name of ["head.bias", "ID_head.weight", "ID_head.bias"])
      expect(parameters.get(name)).toEqual(fresh.get(name));
    expect(report.ignored.map(({ reason }) => reason)).toEqual([
      "drawn anew, as the reference does",
      "of 3 outputs, not 2",
      "of 5 subjects and 1 layers, not 9 subjects and 1 layers",
      "of 5 subjects and 1 layers, not 9 subjects and 1 layers",
    ]);
    const plain = initialiseFrom({ ...detector, numSubjects: 0 }, 7, trained(detector));
    expect(plain.report.unexpected).toEqual(["ID_head.weight", "ID_head.bias"]);
  });

  it("of another grid: position embeddings are interpolated, in a continued pretraining both tables", () => {
    const small = trained(detector);
    const { parameters, report } = initialiseFrom({ ...detector, imageSize: 64 }, 7, small);
    expect(parameters.get("pos_embed")!.shape).toEqual([1, 65, 96]);
    expect(parameters.get("pos_embed")!.data.subarray(0, 96)).toEqual(
      small.parameters.get("pos_embed")!.data.subarray(0, 96),
    );
    expect(report.reshaped).toEqual([{ name: "pos_embed", from: [1, 145, 96], to: [1, 65, 96] }]);
    const continued = initialiseFrom({ ...mae, imageSize: 64 }, 7, trained(mae));
    expect(continued.report.reshaped.map(({ name }) => name)).toEqual(["pos_embed", "decoder_pos_embed"]);
    expect(continued.report.missing).toEqual([]);
  });

  it("of a constant table stays constant on any grid", () => {
    const { config, parameters } = trained(detector);
    const { shape, data } = parameters.get("pos_embed")!;
    const constant = { config, parameters: new Map(parameters).set("pos_embed", { shape, data: data.map(() => 0.5) }) };
    const wide = initialiseFrom({ ...detector, imageSize: 160 }, 7, constant).parameters.get("pos_embed")!;
    for (const value of wide.data) expect(value).toBeCloseTo(0.5, 6);
  });

  it("is refused when the encoder is another", () => {
    expect(() => initialiseFrom(createModelConfig("tiny", heads), 7, trained(detector))).toThrow(
      "Expected weights of an encoder with 12 blocks of 192 dimensions and 3 heads on patches of 16 pixels, " +
        "got one with 4 blocks of 96 dimensions and 3 heads on patches of 8 pixels",
    );
  });
});
