import { describe, expect, it } from "vitest";
import type { FoundFace } from "../chain/face-chain.ts";
import { FaceTracker } from "./face-tracker.ts";

const imageSize = { width: 640, height: 480 };
/** A face whose box begins at `left`; `follows` is its place in the plan. */
const face = (left: number, follows?: number, size = 100): FoundFace => ({
  box: { left, top: 100, width: size, height: size },
  confidence: 1,
  landmarks: new Float32Array(478 * 3),
  ...(follows === undefined ? {} : { follows }),
});
const found = (faces: FoundFace[], searched = true) => ({ faces, searched, imageSize });
const tracker = (detectEvery = 3) => new FaceTracker({ detectEvery, memoryMs: 1000 });

describe("ids", () => {
  it("stay with faces that are followed, whatever their order", () => {
    const faces = tracker();
    expect(faces.update(found([face(0), face(300)]), 0)).toEqual([1n, 2n]);
    expect(faces.update(found([face(310, 1), face(5, 0)], false), 33)).toEqual([2n, 1n]);
  });

  it("come back where a face was lost, as long as it is remembered, and are given to nobody else", () => {
    const faces = tracker();
    faces.update(found([face(0), face(300)]), 0);
    expect(faces.update(found([face(0, 0)]), 100)).toEqual([1n]);
    expect(faces.update(found([face(320), face(0, 0)]), 1000)).toEqual([2n, 1n]);
    faces.update(found([]), 1100);
    expect(faces.update(found([face(0)]), 3000)).toEqual([3n]);
    expect(faces.update(found([face(0, 0), face(500)]), 3033)).toEqual([3n, 4n]);
  });

  it("go to the face that overlaps most", () => {
    const faces = tracker();
    faces.update(found([face(0), face(60)]), 0);
    faces.update(found([]), 10);
    expect(faces.update(found([face(55), face(5)]), 20)).toEqual([2n, 1n]);
  });

  it("stay with faces that are followed when an image that was not planned comes in between", () => {
    const faces = tracker();
    faces.update(found([face(0), face(300)]), 0);
    faces.plan();
    expect(faces.update(found([face(310)], false), 33)).toEqual([2n]);
    expect(faces.update(found([face(5, 0), face(312, 1)], false), 66)).toEqual([1n, 2n]);
  });

  it("are forgotten, the oldest first, when more faces were lost than are remembered", () => {
    const faces = tracker(1);
    for (let i = 0; i < 258; i++) faces.update(found([face(200 * i)]), i);
    faces.update(found([]), 258);
    expect(faces.update(found([face(0)]), 259)).toEqual([259n]);
    expect(faces.update(found([face(200 * 257)]), 260)).toEqual([258n]);
  });

  it("of a face that appears elsewhere are new", () => {
    const faces = tracker();
    faces.update(found([face(0)]), 0);
    expect(faces.update(found([face(200)]), 33)).toEqual([2n]);
  });

  it("stay with a face that moved fast, but not when it was gone for a frame", () => {
    const [fast, gone] = [tracker(), tracker()];
    for (const faces of [fast, gone]) faces.update(found([face(0)]), 0);
    expect(fast.update(found([face(80)]), 33)).toEqual([1n]);
    gone.update(found([]), 33);
    expect(gone.update(found([face(80)]), 66)).toEqual([2n]);
  });

  it("survive a change of resolution", () => {
    const faces = tracker();
    faces.update(found([face(200)]), 0);
    const half = { ...face(100, undefined, 50), box: { left: 100, top: 50, width: 50, height: 50 } };
    expect(faces.update({ faces: [half], searched: true, imageSize: { width: 320, height: 240 } }, 33)).toEqual([1n]);
  });

  it("are never given twice, however many faces come and go", () => {
    const faces = tracker(1);
    const seen = new Set<bigint>();
    for (let i = 0; i < 200; i++) {
      const [id] = faces.update(found([face((i % 5) * 120)]), i * 2000);
      expect(seen.has(id!)).toBe(false);
      seen.add(id!);
    }
  });
});

describe("the plan", () => {
  it("searches when no face is known, and every so many frames", () => {
    const faces = tracker(3);
    const searches: boolean[] = [];
    for (let i = 0; i < 7; i++) {
      const { search } = faces.plan();
      searches.push(search);
      faces.update(found([face(0, i === 0 ? undefined : 0)], search), 33 * i);
    }
    expect(searches).toEqual([true, false, false, true, false, false, true]);
    faces.update(found([], false), 300);
    expect(faces.plan().search).toBe(true);
  });

  it("counts from the last search, also one that a lost face made", () => {
    const faces = tracker(3);
    faces.update(found([face(0)]), 0);
    faces.update(found([face(0, 0)], false), 33);
    faces.update(found([face(0, 0)], true), 66);
    expect(faces.plan().search).toBe(false);
  });

  it("carries places and nothing else of a face", () => {
    const faces = tracker();
    const heavy = { ...face(0), input: new Float32Array(1000) };
    faces.update(found([heavy]), 0);
    expect(Object.keys(faces.plan().faces[0]!)).toEqual(["box", "confidence", "landmarks"]);
  });
});
