import { describe, expect, it } from "vitest";
import { checkPrecision } from "./check-precision.ts";

describe("a training in bfloat16", () => {
  const check = (precision: "float32" | "bfloat16", flags: readonly string[]) => () =>
    checkPrecision(
      { kind: "fine_tune", spec: { recipe: { optimization: { precision } } } },
      { flags: new Set(flags), accelerator: "cpu" },
    );

  it("is refused by its field where the engine does not compute in it", () => {
    expect(check("bfloat16", ["avx2"])).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        violations: [
          {
            field: "fine_tune.optimization.precision",
            description: expect.stringContaining('Expected "float32", got "bfloat16": this processor has neither'),
          },
        ],
      }),
    );
  });

  it("is taken where it does, and float32 everywhere", () => {
    expect(check("bfloat16", ["avx512f"])).not.toThrow();
    expect(check("float32", ["avx2"])).not.toThrow();
  });
});
