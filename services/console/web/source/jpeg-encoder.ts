import { fitWithin, type Size } from "./fit-within.ts";

/** Encodes pictures as JPEG, one after the other, on a canvas of its own. */
export function createJpegEncoder({ maxSide, quality }: { readonly maxSide: number; readonly quality: number }) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new Error("Expected a browser with a two-dimensional canvas");
  return async (picture: CanvasImageSource, size: Size): Promise<Uint8Array> => {
    const { width, height } = fitWithin(size, maxSide);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.drawImage(picture, 0, 0, width, height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
    return new Uint8Array(await blob.arrayBuffer());
  };
}
