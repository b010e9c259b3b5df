import { createModelConfig, initialiseParameters, type ModelCard, modelCardSchema } from "@duchenne/model";
import { describe, expect, it } from "vitest";
import { type Publication, trainedCard } from "./attempt-card.ts";

const config = createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 });
const SUBJECTS = ["a", "b", "c"];

function publication(changes: Partial<Publication> = {}): Publication {
  const label = { occurrence: Int8Array.of(1), intensity: Float32Array.of(Number.NaN), expression: -1 };
  return {
    job: { id: "j1", attempt: 2 },
    spec: { dataset: "datasets/d", model: "models/m", recipe: {} },
    dataset: {
      name: "d",
      directory: "/",
      description: "",
      actionUnits: [12],
      subjects: SUBJECTS,
      samples: SUBJECTS.map((subject, i) => ({ imagePath: `/${i}.png`, subject, subjectIndex: i, ...label })),
      digest: "d1",
      boxConvention: "unknown",
    },
    parts: { train: Uint32Array.of(0), validation: Uint32Array.of(1), test: Uint32Array.of(2) },
    result: { config, parameters: initialiseParameters(config, 1), metrics: {}, epoch: 1, thresholds: [0.3] },
    description: "",
    intendedUse: "",
    ...changes,
  };
}

/** A version that another is made from. */
const source = (name: string, licenses: NonNullable<ModelCard["licenses"]>) => ({
  name,
  digest: `digest of ${name}`,
  card: { ...trainedCard(publication()), licenses },
});

describe("the card of a trained version", () => {
  it("lists the licences of its data and of all that it was made from, each with where it comes from", () => {
    const { dataset } = publication();
    const card = trainedCard(
      publication({
        dataset: { ...dataset, license: "CC-BY-4.0" },
        initial: source("models/mae/versions/1", [{ source: "mae.pth", digest: "f1", license: "CC BY-NC 4.0" }]),
        teacher: source("models/big/versions/3", [{ source: "datasets/bp4d", digest: "b1", license: "unknown" }]),
      }),
    );
    expect(card.licenses).toEqual([
      { source: "datasets/d", digest: "d1", license: "CC-BY-4.0" },
      { source: "mae.pth", digest: "f1", license: "CC BY-NC 4.0", through: "models/mae/versions/1" },
      { source: "datasets/bp4d", digest: "b1", license: "unknown", through: "models/big/versions/3" },
    ]);
    expect(modelCardSchema.parse(card)).toEqual(card);
  });

  it("says that a licence is unknown where nobody stated one", () => {
    expect(trainedCard(publication()).licenses).toEqual([{ source: "datasets/d", digest: "d1", license: "unknown" }]);
  });

  it("names what it was made from by digest too, for versions can be deleted", () => {
    const card = trainedCard(
      publication({ initial: source("models/mae/versions/1", []), teacher: source("models/big/versions/3", []) }),
    );
    expect(card.lineage).toEqual({
      job: "j1",
      attempt: 2,
      initialModelVersion: "models/mae/versions/1",
      initialModelDigest: "digest of models/mae/versions/1",
      teacherModelVersion: "models/big/versions/3",
      teacherModelDigest: "digest of models/big/versions/3",
    });
    expect(trainedCard(publication()).lineage).toEqual({ job: "j1", attempt: 2 });
  });

  it("says which fold was held out of how many, drawn or the data set's own", () => {
    const folds = [["a"], ["b"], ["c"]];
    const dataset = { ...publication().dataset, folds };
    const { model, dataset: name } = publication().spec;
    const foldOf = (split: object) =>
      trainedCard(
        publication({
          dataset,
          spec: { dataset: name, model, recipe: { split: { validationFraction: 0, ...split } } },
        }),
      ).split.fold;
    expect(foldOf({ fold: 2 })).toEqual({ tested: 2, of: 3 });
    expect(foldOf({ fold: 1, folds: 2 })).toEqual({ tested: 1, of: 2 });
    expect(foldOf({ testFraction: 0.5 })).toBeUndefined();
  });
});
