import { create } from "@bufbuild/protobuf";
import { DatasetProtocol, SynthesizeDatasetRequestSchema } from "@duchenne/proto";
import { describe, expect, it } from "vitest";
import { SubjectsOutOfRangeError, synthesisFrom } from "./synthesis-from.ts";

const request = (protocol: DatasetProtocol, subjects: number) =>
  create(SynthesizeDatasetRequestSchema, { seed: 1n, subjects, framesPerSubject: 8, imageSize: 64, protocol });

describe("synthesisFrom", () => {
  it.each([
    [DatasetProtocol.BP4D, "bp4d", 41],
    [DatasetProtocol.BP4D_PLUS, "bp4d+", 140],
    [DatasetProtocol.DISFA, "disfa", 27],
  ])("takes 0 for all subjects of protocol %i", (protocol, name, subjects) => {
    expect(synthesisFrom(request(protocol, 0))).toMatchObject({ protocol: name, subjects });
    expect(synthesisFrom(request(protocol, subjects - 1)).subjects).toBe(subjects - 1);
    expect(() => synthesisFrom(request(protocol, subjects + 1))).toThrow(SubjectsOutOfRangeError);
  });

  it("without a protocol wants to know how many, and names none", () => {
    expect(synthesisFrom(request(DatasetProtocol.UNSPECIFIED, 200))).toEqual({
      seed: 1,
      subjects: 200,
      framesPerSubject: 8,
      imageSize: 64,
      identityShortcut: 0,
    });
    expect(() => synthesisFrom(request(DatasetProtocol.UNSPECIFIED, 0))).toThrow("at least 2 subjects, got 0");
  });
});
