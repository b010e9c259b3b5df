import { cropFace, normaliseImage, type RgbImage, resizeImage } from "@duchenne/data";
import type { FaceChain, FoundFace, FoundFaces } from "../chain/face-chain.ts";
import { decodeImage, type ImageLimits } from "../decode.ts";
import { boxConvention, InvalidFaceBoxError } from "../face-box.ts";
import { rgbFromRaw } from "../raw-image.ts";
import { faceQuality } from "../signals/face-quality.ts";
import type { FaceTask, FindResult, PreparedFace } from "./task.ts";

type FindTask = Extract<FaceTask, { kind: "find" }>;

/** Decodes an image, finds or follows its faces, and prepares each for its model; the steps are timed apart. */
export async function findFaces(
  task: FindTask,
  { chain, limits }: { readonly chain: () => Promise<FaceChain>; readonly limits: ImageLimits },
): Promise<FindResult> {
  const { request, preparation } = task;
  const start = performance.now();
  const image =
    request.image instanceof Uint8Array ? await decodeImage(request.image, limits) : rgbFromRaw(request.image);
  const decoded = performance.now();
  checkFaceBox(task, image);
  const { faces, searched } = await search(task, image, chain);
  const found = performance.now();
  const prepared: PreparedFace[] = [];
  for (const face of faces) {
    const input =
      preparation.kind === "blendshapes"
        ? await (await chain()).blendshapes(face.landmarks)
        : crop(image, face, preparation, request.imageIsCrop === true);
    const quality = request.quality === true ? { quality: faceQuality(image, face.box) } : {};
    prepared.push({ ...face, input, ...quality });
  }
  return {
    faces: prepared,
    searched,
    imageSize: { width: image.width, height: image.height },
    decodeMs: decoded - start,
    facesMs: found - decoded,
    prepareMs: performance.now() - found,
  };
}

async function search(
  { request, plan, preparation }: FindTask,
  image: RgbImage,
  chain: () => Promise<FaceChain>,
): Promise<FoundFaces> {
  const { faceBox: box, imageIsCrop, maxFaces } = request;
  if (request.faces !== undefined) return { faces: [...request.faces], searched: false };
  if (imageIsCrop === true && preparation.kind === "crop") return { faces: [wholeImage(image)], searched: false };
  const { find } = await chain();
  if (box !== undefined) return find(image, { kind: "given-box", box });
  if (imageIsCrop === true) return find(image, { kind: "given-box", box: cropWithoutMargin(image) });
  return find(image, plan === undefined ? { kind: "whole-image", maxFaces } : { kind: "follow", maxFaces, plan });
}

/** A face as its model sees it, [3, S, S]. */
function crop(
  image: RgbImage,
  face: FoundFace,
  { imageSize, boxConvention: convention }: Extract<FindTask["preparation"], { kind: "crop" }>,
  imageIsCrop: boolean,
): Float32Array {
  const { boxOf, margin } = boxConvention(convention);
  return normaliseImage(
    imageIsCrop ? resizeImage(image, imageSize, imageSize) : cropFace(image, boxOf(face), { size: imageSize, margin }),
  );
}

/** The face's box inside of a crop that has a margin of 5 % of the box on each side. */
function cropWithoutMargin({ width, height }: RgbImage) {
  const share = 0.05 / 1.1;
  return { left: share * width, top: share * height, width: width / 1.1, height: height / 1.1 };
}

function wholeImage({ width, height }: RgbImage): FoundFace {
  return { box: { left: 0, top: 0, width, height }, confidence: 1, landmarks: new Float32Array() };
}

function checkFaceBox({ request: { faceBox: box } }: FindTask, { width, height }: RgbImage): void {
  if (box === undefined) return;
  const meets = box.left < width && box.top < height && box.left + box.width > 0 && box.top + box.height > 0;
  if (box.width > 0 && box.height > 0 && meets) return;
  throw new InvalidFaceBoxError(
    `Expected a box that meets the ${width}x${height} image, got ${box.width}x${box.height} at ${box.left},${box.top}`,
  );
}
