import type { RgbImage } from "../../image.ts";
import { LEFT_EYE, RIGHT_EYE } from "../mesh/landmark-loops.ts";
import { LANDMARKS } from "../scene/compose-scene.ts";
import { fitHead } from "./fit-head.ts";
import { photoView } from "./photo-view.ts";

/** A photograph of one person who looks neutral, with the landmarks that were found on it. */
export interface Portrait {
  /** Who is shown; a part of file names. */
  readonly subject: string;
  /** Where it comes from, as errors name it. */
  readonly file: string;
  readonly image: RgbImage;
  /** [478 * 3], as MediaPipe numbers them: x, y in pixels, z in the scale of x, away from the camera. */
  readonly landmarks: Float32Array;
}

/** What is measured of a portrait before it is used. Openings are shares of the face's own measures. */
export interface PortraitMeasures {
  /** From one side of the face to the other, in pixels. */
  readonly widthPx: number;
  /** Gap between the lips, as a share of the mouth's width. */
  readonly mouthOpening: number;
  /** Gap between the lids, as a share of the eye's width: of the eye that is opened less. */
  readonly eyeOpening: number;
  /** In degrees, as a frame has them. */
  readonly yaw: number;
  readonly pitch: number;
}

/** What a portrait must be like. */
export const PORTRAIT_LIMITS = {
  /** Smaller faces have no skin to show. */
  minWidthPx: 64,
  /** Closed lips are up to 0.05 apart, by how exact landmarks are. */
  maxMouthOpening: 0.06,
  /** Below it lids are closed, or cover the iris. */
  minEyeOpening: 0.15,
  /** Beyond it a cheek is hidden, and so what moves there. */
  maxYaw: 35,
  maxPitch: 30,
} as const;

/** Thrown when portraits cannot be used; `violations` says why, file by file. */
export class UnusablePortraitError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNUSABLE_PORTRAIT";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(violations: readonly { readonly field: string; readonly description: string }[]) {
    const files = new Set(violations.map(({ field }) => field)).size;
    const all = violations.map(({ field, description }) => `${field}: ${description}`);
    super(`${files} portrait(s) cannot be used: ${all.join("; ")}`);
    this.name = "UnusablePortraitError";
    this.violations = violations;
  }
}

/** Measures a portrait. */
export function measurePortrait({ landmarks }: Pick<Portrait, "landmarks">): PortraitMeasures {
  const apart = (p: number, q: number) =>
    Math.hypot(...[0, 1, 2].map((c) => landmarks[3 * p + c]! - landmarks[3 * q + c]!));
  const openings = [LEFT_EYE, RIGHT_EYE].map(
    ({ upperEdge, lowerEdge, outerCorner, innerCorner }) =>
      apart(upperEdge[3]!, lowerEdge[3]!) / apart(outerCorner, innerCorner),
  );
  const { yaw, pitch } = photoView(fitHead({ landmarks }), { yaw: 0, pitch: 0, roll: 0 }).pose;
  return {
    widthPx: apart(234, 454),
    mouthOpening: apart(13, 14) / apart(61, 291),
    eyeOpening: Math.min(...openings),
    yaw,
    pitch,
  };
}

/** Why a portrait cannot be used, with what was measured; empty when it can. */
export function portraitProblems({ landmarks }: Pick<Portrait, "landmarks">): string[] {
  if (landmarks.length !== LANDMARKS * 3 || !landmarks.every(Number.isFinite)) {
    return [`Expected ${LANDMARKS} landmarks of 3 finite numbers, got ${landmarks.length} numbers`];
  }
  const { widthPx, mouthOpening, eyeOpening, yaw, pitch } = measurePortrait({ landmarks });
  const { minWidthPx, maxMouthOpening, minEyeOpening, maxYaw, maxPitch } = PORTRAIT_LIMITS;
  // Of so small a face the other measures say nothing.
  if (widthPx < minWidthPx) return [`Expected a face at least ${minWidthPx} pixels wide, got ${widthPx.toFixed(0)}`];
  const problems: string[] = [];
  if (mouthOpening > maxMouthOpening) {
    const apart = `lips ${mouthOpening.toFixed(3)} of the mouth's width apart`;
    problems.push(`Expected a closed mouth, got ${apart} (at most ${maxMouthOpening})`);
  }
  if (eyeOpening < minEyeOpening) {
    const apart = `lids ${eyeOpening.toFixed(3)} of the eye's width apart`;
    problems.push(`Expected open eyes, got ${apart} (at least ${minEyeOpening})`);
  }
  for (const [way, angle, most] of [
    ["to the side", yaw, maxYaw],
    ["up or down", pitch, maxPitch],
  ] as const) {
    if (Math.abs(angle) > most) {
      problems.push(`Expected a face turned at most ${most} degrees ${way}, got ${Math.abs(angle).toFixed(0)} degrees`);
    }
  }
  return problems;
}

/**
 * Checks portraits before anything is made of them.
 *
 * @throws {UnusablePortraitError} with every problem of every file
 */
export function checkPortraits(portraits: readonly Portrait[]): void {
  const violations = portraits.flatMap((portrait) =>
    portraitProblems(portrait).map((description) => ({ field: portrait.file, description })),
  );
  if (portraits.length === 0) violations.push({ field: "portraits", description: "Expected at least one, got none" });
  if (violations.length > 0) throw new UnusablePortraitError(violations);
}
