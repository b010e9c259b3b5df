import { type Eyeball, eyeballsOf } from "../expression/lid-pose.ts";
import { headMesh } from "../mesh/head-mesh.ts";
import { headOfShape } from "../mesh/identity-modes.ts";
import { createSkinTexture, type SkinTexture } from "../skin/skin-texture.ts";
import type { SyntheticSubject } from "../subject.ts";
import { bodySolids } from "./body.ts";
import { glassesSolids } from "./glasses.ts";
import { hairSolids } from "./hair.ts";
import type { Solid } from "./solid.ts";

/** All of a person that no frame changes. */
export interface SubjectModel {
  readonly subject: SyntheticSubject;
  /** [base vertices * 3]: the resting head. */
  readonly head: Float32Array;
  readonly eyeballs: readonly [Eyeball, Eyeball];
  readonly skin: SkinTexture;
  /** Neck, shoulders, ears, hair, glasses. */
  readonly solids: readonly Solid[];
}

const models = new WeakMap<SyntheticSubject, SubjectModel>();

/** Makes a person, once for each subject. */
export function subjectModel(subject: SyntheticSubject): SubjectModel {
  let model = models.get(subject);
  if (model === undefined) {
    model = createSubjectModel(subject);
    models.set(subject, model);
  }
  return model;
}

function createSubjectModel(subject: SyntheticSubject): SubjectModel {
  const head = headOfShape(subject.shape);
  const eyeballs = eyeballsOf(head);
  const skin = createSkinTexture(subject);
  const { positions } = headMesh();
  const ear = 3 * 454;
  const top = 3 * 10;
  const width = head[ear]! / positions[ear]!;
  const size = { width, top: head[top + 1]! - positions[top + 1]! };
  const strong = subject.makeUp === undefined && subject.browThickness > 0.24 ? 1 : 0;
  return {
    subject,
    head,
    eyeballs,
    skin,
    solids: [
      ...bodySolids(skin.tone, subject.clothing, { width, strong, seed: subject.textureSeed }),
      ...hairSolids(subject, size),
      ...(subject.glasses === undefined ? [] : glassesSolids(eyeballs, { ...subject.glasses, width })),
    ],
  };
}
