import { basename } from "node:path";
import type { ModelDescription } from "@duchenne/vision";
import { actionUnitName, type Column, integer, presenceOf, real, scoreOf, seconds, text } from "./column.ts";

/** Whose names the columns have. */
export const COLUMN_SETS = ["duchenne", "openface", "pyfeat"] as const;
/** Whose names the columns have. */
export type ColumnSet = (typeof COLUMN_SETS)[number];

/** What columns are made from. */
export interface ColumnSource {
  readonly model: Pick<ModelDescription, "actionUnits">;
  /** The video file's path. */
  readonly video: string;
}

/** The columns of a set, for what a model answers. */
export function columnsOf(set: ColumnSet, source: ColumnSource): readonly Column[] {
  return SETS[set](source);
}

const SETS: Readonly<Record<ColumnSet, (source: ColumnSource) => readonly Column[]>> = {
  duchenne: ownColumns,
  openface: openFaceColumns,
  pyfeat: pyFeatColumns,
};

const DECIMALS = { score: 6, pixels: 2, degrees: 3, radians: 6 } as const;

const radians = (degrees: number | undefined, sign = 1): number | undefined =>
  degrees === undefined ? undefined : (sign * degrees * Math.PI) / 180;

function ownColumns({ model: { actionUnits } }: ColumnSource): Column[] {
  const box = (["left", "top", "width", "height"] as const).map((side) =>
    real(side, DECIMALS.pixels, ({ face }) => face?.found.box[side]),
  );
  const pose = (["yaw", "pitch", "roll"] as const).map((angle) =>
    real(angle, DECIMALS.degrees, ({ face }) => face?.found.headPose?.[angle]),
  );
  const sides = actionUnits
    .filter(({ lateral }) => lateral)
    .flatMap(({ actionUnit }) =>
      (["left", "right"] as const).map((side) =>
        real(`${actionUnitName(actionUnit)}_${side}`, DECIMALS.score, (row) => scoreOf(row, actionUnit, side)),
      ),
    );
  return [
    integer("frame", ({ frame }) => frame),
    seconds("timestamp_s"),
    integer("face_id", ({ face }) => face?.id),
    real("confidence", DECIMALS.score, ({ face }) => face?.found.confidence),
    ...box,
    ...pose,
    ...actionUnits.map(({ actionUnit }) => scoreColumn(actionUnit)),
    ...sides,
    ...actionUnits.map(({ actionUnit }) =>
      integer(`${actionUnitName(actionUnit)}_present`, (row) => presenceOf(row, actionUnit)),
    ),
  ];
}

/** Action units with a presence in OpenFace 2.2's tables. */
const OPENFACE_ACTION_UNITS = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45];

/**
 * OpenFace 2.2's names. Frames count from 1 and faces from 0; angles are radians about x (right), y (down) and z (away from
 * the camera). Intensities (`_r`) are left out: no score of ours is one.
 */
function openFaceColumns({ model }: ColumnSource): Column[] {
  return [
    integer("frame", ({ frame }) => frame + 1),
    integer("face_id", ({ face }) => face && face.id - 1),
    seconds("timestamp"),
    real("confidence", DECIMALS.score, ({ face }) => face?.found.confidence ?? 0),
    integer("success", ({ face }) => (face === undefined ? 0 : 1)),
    real("pose_Rx", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.pitch, -1)),
    real("pose_Ry", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.yaw, -1)),
    real("pose_Rz", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.roll)),
    ...withOthers(OPENFACE_ACTION_UNITS, model).map((actionUnit) =>
      integer(`${actionUnitName(actionUnit)}_c`, (row) => presenceOf(row, actionUnit)),
    ),
  ];
}

/** Action units in py-feat's tables. */
const PYFEAT_ACTION_UNITS = [1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 17, 20, 23, 24, 25, 26, 28, 43];

/** py-feat 2's names. Angles are radians: up, to the person's right, tilted to the person's right. */
function pyFeatColumns({ model, video }: ColumnSource): Column[] {
  const box = (["left", "top", "width", "height"] as const).map((side, i) =>
    real(
      ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"][i]!,
      DECIMALS.pixels,
      ({ face }) => face?.found.box[side],
    ),
  );
  const input = basename(video);
  return [
    ...box,
    real("FaceScore", DECIMALS.score, ({ face }) => face?.found.confidence),
    real("Pitch", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.pitch)),
    real("Roll", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.roll, -1)),
    real("Yaw", DECIMALS.radians, ({ face }) => radians(face?.found.headPose?.yaw, -1)),
    ...withOthers(PYFEAT_ACTION_UNITS, model).map(scoreColumn),
    text("Identity", ({ face }) => face && `Person_${face.id - 1}`),
    text("input", () => input),
    integer("frame", ({ frame }) => frame),
    text("approx_time", ({ timestampS }) => (timestampS === undefined ? undefined : minutesAndSeconds(timestampS))),
    // Not py-feat's: its time has whole seconds.
    seconds("timestamp"),
  ];
}

function scoreColumn(actionUnit: number): Column {
  return real(actionUnitName(actionUnit), DECIMALS.score, (row) => scoreOf(row, actionUnit));
}

/** A tool's action units, those that the model does not answer included, and then the model's others. */
function withOthers(units: readonly number[], { actionUnits }: ColumnSource["model"]): number[] {
  return [...units, ...actionUnits.map(({ actionUnit }) => actionUnit).filter((each) => !units.includes(each))];
}

function minutesAndSeconds(time: number): string {
  const whole = Math.floor(time);
  return [Math.floor(whole / 60), whole % 60].map((part) => String(part).padStart(2, "0")).join(":");
}
