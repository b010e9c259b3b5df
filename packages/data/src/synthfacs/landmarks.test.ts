import { describe, expect, it } from "vitest";
import { createSyntheticFrame, frameWith, NEUTRAL_FRAME, type SyntheticFrame } from "./frame.ts";
import { headMesh } from "./mesh/head-mesh.ts";
import { composeScene } from "./scene/compose-scene.ts";
import { subjectModel } from "./scene/subject-model.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "./subject.ts";

const FOREHEAD = [10, 151, 108, 337];
const NOSE_TIP = [1, 4, 5];
const CHIN = [152, 175];
const EYE = [263, 386, 374, 362];
const MOUTH = [291, 13, 14, 0, 17];
const BROW = [285, 295, 282, 283, 276];

/** Of each action unit: a landmark of the left half, where it goes (outward, up, forward), and what stays. */
const MOVED: readonly [number, number, readonly [number, number, number], readonly number[]][] = [
  [1, 285, [0, 1, 0], [...MOUTH, ...CHIN, ...NOSE_TIP, 276]],
  [2, 283, [0, 1, 0], [...MOUTH, ...CHIN, ...NOSE_TIP]],
  [4, 285, [-0.4, -1, 0], [...MOUTH, ...CHIN, ...NOSE_TIP]],
  [5, 386, [0, 1, 0], [...MOUTH, ...CHIN, ...BROW, ...NOSE_TIP, 374]],
  [6, 347, [0, 1, 0.4], [...CHIN, ...FOREHEAD, ...NOSE_TIP, 285]],
  [7, 374, [0, 1, 0], [...MOUTH, ...CHIN, ...BROW, ...NOSE_TIP]],
  [9, 358, [0, 1, 0], [...CHIN, 276]],
  [10, 267, [0, 1, 0], [...CHIN, ...BROW, ...EYE]],
  [12, 291, [0.8, 1, -0.4], [...CHIN, ...BROW, ...NOSE_TIP]],
  [14, 291, [0.5, 0, -1], [...CHIN, ...BROW, ...EYE, ...NOSE_TIP]],
  [15, 291, [0, -1, 0], [...BROW, ...EYE, ...NOSE_TIP]],
  [17, 199, [0, 1, 0.4], [...BROW, ...EYE, ...NOSE_TIP]],
  [20, 291, [1, -0.2, -0.5], [...BROW, ...EYE, ...NOSE_TIP]],
  [23, 291, [-1, 0, 0], [...BROW, ...EYE, ...NOSE_TIP, ...CHIN]],
  [24, 17, [0, 1, 0], [...BROW, ...EYE, ...NOSE_TIP]],
  [25, 14, [0, -1, 0], [...BROW, ...EYE, ...NOSE_TIP]],
  [26, 152, [0, -1, 0], [...BROW, ...EYE, ...NOSE_TIP, ...FOREHEAD]],
  [43, 386, [0, -1, 0], [...MOUTH, ...CHIN, ...BROW, ...NOSE_TIP]],
];
/** A landmark that moves by less, in centimetres, stays. */
const STILL = 0.12;

const somebody = createSyntheticSubject(1, 0, 0);

function landmarksOf(frame: SyntheticFrame, subject = somebody): Float32Array {
  return composeScene(subjectModel(subject), frame, 1).landmarks;
}

const place = (landmarks: Float32Array, landmark: number) => [...landmarks.subarray(3 * landmark, 3 * landmark + 3)];
const apart = (p: readonly number[], q: readonly number[]) => Math.hypot(...p.map((value, c) => value - q[c]!));

describe("landmarks", () => {
  it("are moved by every action unit", () => {
    expect(MOVED.map(([number]) => number)).toEqual([...SYNTHFACS_ACTION_UNITS]);
  });

  it.each(MOVED)(
    "AU%i moves landmark %i further with every step, and leaves others",
    (number, landmark, way, still) => {
      const neutral = landmarksOf(NEUTRAL_FRAME);
      let before = 0;
      for (const intensity of [1, 2, 3, 4, 5]) {
        const posed = landmarksOf(frameWith({ [number]: intensity }));
        const [from, to] = [place(neutral, landmark), place(posed, landmark)];
        const gone = to.reduce((sum, value, c) => sum + (value - from[c]!) * way[c]!, 0) / Math.hypot(...way);
        expect(gone).toBeGreaterThan(before + 0.01);
        before = gone;
        for (const each of still)
          expect(apart(place(neutral, each), place(posed, each)), `${each}`).toBeLessThan(STILL);
      }
    },
  );

  it("exchange left and right when the sides are exchanged", () => {
    const frame = { ...createSyntheticFrame(1, somebody, 3), gaze: [0, 0], yaw: 0, pitch: 0 } as const;
    const oneSided = { ...frame, right: frame.right.map((intensity, i) => (i % 2 === 0 ? intensity : 5 - intensity)) };
    const straight = landmarksOf(oneSided);
    const exchanged = landmarksOf({ ...oneSided, left: oneSided.right, right: oneSided.left });
    const { mirror } = headMesh();
    for (let landmark = 0; landmark < 468; landmark++) {
      const [x, y, z] = place(exchanged, mirror[landmark]!);
      expect(apart(place(straight, landmark), [-x!, y!, z!])).toBeLessThan(0.02);
    }
  });

  it("1+4 raises inner brows that 4 alone lowers, and draws them together", () => {
    const y = (aus: Record<number, number>) => place(landmarksOf(frameWith(aus)), 285);
    expect(y({ 1: 4, 4: 4 })[1]!).toBeGreaterThan(y({})[1]!);
    expect(y({ 4: 4 })[1]!).toBeLessThan(y({})[1]!);
    expect(y({ 1: 4, 4: 4 })[0]!).toBeLessThan(y({ 1: 4 })[0]!);
  });

  it("6+12 narrows the eye more than either does", () => {
    const opening = (aus: Record<number, number>) => {
      const landmarks = landmarksOf(frameWith(aus));
      return apart(place(landmarks, 386), place(landmarks, 374));
    };
    expect(opening({ 6: 4, 12: 4 })).toBeLessThan(Math.min(opening({ 6: 4 }), opening({ 12: 4 })) - 0.02);
  });

  it("12+15 pulls corners out, but far less up than 12", () => {
    const corner = (aus: Record<number, number>) => place(landmarksOf(frameWith(aus)), 291);
    const [both, smile, rest] = [corner({ 12: 4, 15: 4 }), corner({ 12: 4 }), corner({})];
    expect(both[0]!).toBeGreaterThan(rest[0]! + 0.4);
    expect(both[1]! - rest[1]!).toBeLessThan(0.3 * (smile[1]! - rest[1]!));
  });

  it("20+25 opens a wide, flat mouth", () => {
    const shape = (aus: Record<number, number>) => {
      const landmarks = landmarksOf(frameWith(aus));
      return apart(place(landmarks, 291), place(landmarks, 61)) / apart(place(landmarks, 13), place(landmarks, 14));
    };
    expect(shape({ 20: 4, 25: 4 })).toBeGreaterThan(1.3 * shape({ 25: 4 }));
  });
});

describe("identity", () => {
  it("is recoverable: frames of a person are nearer to its resting face than to any other's", () => {
    const subjects = Array.from({ length: 20 }, (_, i) => createSyntheticSubject(4, i, 0));
    const resting = subjects.map((subject) => landmarksOf(NEUTRAL_FRAME, subject));
    // What no action unit moves much: outline, nose bridge, corners of the eyes.
    const stable = [
      10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 234, 127, 162, 21, 6, 197, 195, 5, 33, 133, 263, 362,
    ];
    let right = 0;
    for (const [s, subject] of subjects.entries()) {
      for (let f = 0; f < 5; f++) {
        const posed = landmarksOf(createSyntheticFrame(4, subject, f), subject);
        const distances = resting.map((each) =>
          stable.reduce((sum, landmark) => sum + apart(place(each, landmark), place(posed, landmark)) ** 2, 0),
        );
        if (distances.indexOf(Math.min(...distances)) === s) right++;
      }
    }
    expect(right).toBe(100);
  });
});
