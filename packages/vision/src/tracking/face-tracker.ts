import type { Box } from "@duchenne/data";
import type { FollowPlan, FoundFace } from "../chain/face-chain.ts";
import { overlap, SAME_FACE_OVERLAP } from "./overlap.ts";

/** A face that was there in the last frame may have moved by so much of its width, and changed its area by this factor. */
const REACH = 1;
const MAX_GROWTH = 2;
/** Lost faces that are remembered: a crowd that passes by must not cost more with every face. */
const MAX_LOST = 256;

/** How a tracker works. */
export interface FaceTrackerOptions {
  /** The whole image is searched every so many frames, and whenever a face is lost or none is known. */
  readonly detectEvery: number;
  /** How long a lost face's place and id are remembered, in milliseconds of the frames' time. */
  readonly memoryMs: number;
}

/** What a frame's search found, in the order of its faces. */
export interface FollowResult {
  readonly faces: readonly FoundFace[];
  /** Whether the whole image was searched. */
  readonly searched: boolean;
  readonly imageSize: { readonly width: number; readonly height: number };
}

interface Track {
  readonly id: bigint;
  face: FoundFace;
  /** When it was last seen. */
  seenMs: number;
}

/**
 * Follows the faces of one stream. Ids count from 1 and are never given twice; a face keeps its id while it is followed,
 * and gets it back when it is found again where it was lost. It knows no clock: frames tell their time.
 */
export class FaceTracker {
  readonly #options: FaceTrackerOptions;
  /** Seen in the last frame. */
  #tracks: Track[] = [];
  /** Lost faces, the last one first. */
  #lost: Track[] = [];
  /** What the last plan's faces are. */
  #planned: readonly Track[] = [];
  #imageSize: FollowResult["imageSize"] | undefined;
  #lastId = 0n;
  #sinceSearch = 0;

  constructor(options: FaceTrackerOptions) {
    this.#options = options;
  }

  /** Whether frames depend on the ones before: then each must be told before the next is planned. */
  get follows(): boolean {
    return this.#options.detectEvery > 1;
  }

  /** What to look for in the next frame. */
  plan(): FollowPlan {
    this.#planned = this.#tracks;
    return {
      faces: this.#tracks.map(({ face }) => face),
      search: this.#tracks.length === 0 || this.#sinceSearch + 1 >= this.#options.detectEvery,
      ...(this.#imageSize === undefined ? {} : { imageSize: this.#imageSize }),
    };
  }

  /**
   * Takes what was found by the last plan, or without one: between a plan and its result, images may be told whose faces
   * were not looked for.
   *
   * @param nowMs the frame's time; a time before the last frame's counts as that
   * @returns each face's id
   */
  update({ faces, searched, imageSize }: FollowResult, nowMs: number): bigint[] {
    this.#sinceSearch = searched ? 0 : this.#sinceSearch + 1;
    this.#scaleTo(imageSize);
    const known = [...this.#tracks, ...this.#lost.filter(({ seenMs }) => nowMs - seenMs <= this.#options.memoryMs)];
    const claimed = new Map<FoundFace, Track>();
    const claim = (face: FoundFace, track: Track) => {
      claimed.set(face, track);
      known.splice(known.indexOf(track), 1);
    };
    const seenLast = new Set(this.#tracks);
    for (const face of faces) {
      const track = face.follows === undefined ? undefined : this.#planned[face.follows];
      if (track !== undefined && known.includes(track)) claim(face, track);
    }
    const pairs = faces
      .filter((face) => !claimed.has(face))
      .flatMap((face) =>
        known.map((track) => ({ face, track, likeness: likeness(face.box, track.face.box, seenLast.has(track)) })),
      )
      .filter(({ likeness }) => likeness > 0)
      .sort((p, q) => q.likeness - p.likeness);
    for (const { face, track } of pairs) {
      if (!claimed.has(face) && known.includes(track)) claim(face, track);
    }
    this.#tracks = faces.map((face) => {
      const { box, confidence, landmarks } = face;
      const track = claimed.get(face) ?? { id: ++this.#lastId, face, seenMs: nowMs };
      // No more than the place: what else a face carries may be large, or handed on to other threads.
      track.face = { box, confidence, landmarks };
      track.seenMs = Math.max(track.seenMs, nowMs);
      return track;
    });
    this.#lost = known.slice(0, MAX_LOST);
    return this.#tracks.map(({ id }) => id);
  }

  /** A camera may change its resolution: the same faces then have other pixels. */
  #scaleTo(size: FollowResult["imageSize"]): void {
    const old = this.#imageSize;
    this.#imageSize = size;
    if (old === undefined || (old.width === size.width && old.height === size.height)) return;
    const x = size.width / old.width;
    const y = size.height / old.height;
    for (const track of [...this.#tracks, ...this.#lost]) {
      const { left, top, width, height }: Box = track.face.box;
      track.face = { ...track.face, box: { left: left * x, top: top * y, width: width * x, height: height * y } };
    }
  }
}

/** How likely a face is one of before: above 1 for boxes that overlap, below for one that moved fast, 0 for another. */
function likeness(box: Box, before: Box, justSeen: boolean): number {
  const shared = overlap(box, before);
  if (shared >= SAME_FACE_OVERLAP) return 1 + shared;
  if (!justSeen) return 0;
  const growth = (box.width * box.height) / (before.width * before.height);
  if (growth > MAX_GROWTH || growth < 1 / MAX_GROWTH) return 0;
  const x = box.left + box.width / 2 - before.left - before.width / 2;
  const y = box.top + box.height / 2 - before.top - before.height / 2;
  return Math.max(1 - Math.hypot(x, y) / (REACH * before.width), 0);
}
