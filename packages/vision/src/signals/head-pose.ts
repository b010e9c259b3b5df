import { LEFT_EYE_CORNER, RIGHT_EYE_CORNER } from "../eye-corners.ts";

/** How a head is turned, in degrees; 0, 0, 0 looks straight into the camera. */
export interface HeadPose {
  /** Positive: turned to the person's left, which is the image's right. */
  readonly yaw: number;
  /** Positive: the chin is raised. */
  readonly pitch: number;
  /** Positive: tilted clockwise as the image shows it, towards the person's left shoulder. */
  readonly roll: number;
}

type Point = readonly [number, number, number];

/** Landmarks of the face mesh: top of the forehead, chin. */
const FOREHEAD = 10;
const CHIN = 152;

/**
 * The head's pose from its landmarks, whose depth is in the scale of x: one axis runs through the outer eye corners, one
 * from forehead to chin. The two lie in one plane with the face, so it reads 0 where the face is seen from the front;
 * people's faces differ from that by a few degrees.
 *
 * @param landmarks [478 * 3]
 */
export function headPose(landmarks: Float32Array): HeadPose {
  const point = (i: number): Point => [landmarks[3 * i]!, landmarks[3 * i + 1]!, landmarks[3 * i + 2]!];
  const across = unit(difference(point(LEFT_EYE_CORNER), point(RIGHT_EYE_CORNER)));
  const down = unit(difference(point(CHIN), point(FOREHEAD)));
  // Away from the camera when the face looks into it: x goes right, y down, z away.
  const back = unit(cross(across, down));
  return {
    yaw: degrees(Math.atan2(-back[0], back[2])),
    pitch: degrees(Math.atan2(back[1], Math.hypot(back[0], back[2]))),
    roll: degrees(Math.atan2(across[1], across[0])),
  };
}

function difference(p: Point, q: Point): Point {
  return [p[0] - q[0], p[1] - q[1], p[2] - q[2]];
}

function cross(p: Point, q: Point): Point {
  return [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
}

function unit(p: Point): Point {
  const length = Math.hypot(...p) || 1;
  return [p[0] / length, p[1] / length, p[2] / length];
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
