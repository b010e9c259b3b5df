import { describe, expect, it } from "vitest";
import {
  aliasName,
  parseAliasName,
  parseDatasetName,
  parseEvaluationName,
  parseJobName,
  parseModelName,
  parseModelReference,
  parseVersionName,
  ResourceNameError,
  versionName,
} from "./resource-name.ts";

describe("resource names", () => {
  it("are read back as they were written", () => {
    expect(parseVersionName(versionName("demo", "1"))).toEqual({ model: "demo", version: "1" });
    expect(parseAliasName(aliasName("demo", "live"))).toEqual({ model: "demo", alias: "live" });
    expect(parseModelReference("models/demo@canary")).toEqual({ model: "demo", alias: "canary" });
    expect(parseModelReference("models/demo/versions/3.1")).toEqual({ model: "demo", version: "3.1" });
    expect(parseJobName("jobs/A_b-1")).toBe("A_b-1");
    expect(parseModelName("models/x")).toBe("x");
    expect(parseDatasetName("datasets/x_1")).toBe("x_1");
    expect(parseEvaluationName("evaluations/e1")).toBe("e1");
  });

  it.each(["", "demo", "models/", "models/demo", "models/Demo/versions/1", "models/demo@beta", "models/../versions/1"])(
    "refuse %j as a version, naming the field",
    (name) => {
      expect(() => parseModelReference(name, "model_version")).toThrow(ResourceNameError);
      try {
        parseModelReference(name, "model_version");
      } catch (error) {
        expect((error as ResourceNameError).violations[0]?.field).toBe("model_version");
      }
    },
  );

  it.each(["datasets/", "datasets/../etc", "datasets/a/b", "jobs/a"])("refuse %j as a data set", (name) => {
    expect(() => parseDatasetName(name)).toThrow(ResourceNameError);
  });
});
