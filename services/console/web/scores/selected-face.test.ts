import { create } from "@bufbuild/protobuf";
import { FaceSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { SelectedFace } from "./selected-face.ts";

const faces = (...ids: bigint[]) => ids.map((faceId) => create(FaceSchema, { faceId }));

it("is the largest until one is chosen, and the chosen one whenever it is seen", () => {
  const selected = new SelectedFace();
  expect(selected.face).toBeUndefined();
  selected.show(faces(4n, 7n));
  expect(selected.face?.faceId).toBe(4n);
  selected.choose(7n);
  selected.show(faces(9n, 7n));
  expect(selected.face?.faceId).toBe(7n);
  selected.show(faces(9n));
  expect(selected.face?.faceId).toBe(9n);
  selected.show(faces(9n, 7n));
  expect(selected.face?.faceId).toBe(7n);
  selected.clear();
  expect([selected.face, selected.faces.length]).toEqual([undefined, 0]);
});

it("can choose among the faces of a photograph, which have no ids", () => {
  const selected = new SelectedFace();
  selected.show(faces(0n, 0n));
  selected.choose(2n);
  expect(selected.face).toBe(selected.faces[1]);
});
