import type { FrameInput } from "@duchenne/client/browser";
import { InsecurePageError } from "../live/failure.ts";
import { createJpegEncoder } from "./jpeg-encoder.ts";

/** The longer side of the pictures that are sent: faces are read from crops of 224 to 256 pixels, so more is rarely seen. */
const MAX_SIDE_PX = 640;
const JPEG_QUALITY = 0.85;

/**
 * Opens the user's camera, shows it in the element, and gives its frames until the signal aborts or the camera ends.
 * Rejects with what the browser says.
 *
 * @throws {InsecurePageError}
 */
export async function openCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<AsyncIterable<FrameInput>> {
  if (navigator.mediaDevices === undefined) throw new InsecurePageError();
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
  });
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    if (video.srcObject === stream) video.srcObject = null;
  };
  if (signal.aborted) {
    close();
    signal.throwIfAborted();
  }
  signal.addEventListener("abort", close, { once: true });
  const ended = new AbortController();
  for (const track of stream.getVideoTracks()) track.addEventListener("ended", () => ended.abort());
  video.srcObject = stream;
  await video.play();
  return frames(video, AbortSignal.any([signal, ended.signal]));
}

async function* frames(video: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<FrameInput, void, undefined> {
  const encode = createJpegEncoder({ maxSide: MAX_SIDE_PX, quality: JPEG_QUALITY });
  while (await nextFrame(video, signal)) {
    const captureTimeMs = Date.now();
    yield { image: await encode(video, { width: video.videoWidth, height: video.videoHeight }), captureTimeMs };
  }
}

/** Whether there is a new picture; false when the signal aborted. Nothing comes while the page is hidden. */
function nextFrame(video: HTMLVideoElement, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isThere: boolean) => {
      signal.removeEventListener("abort", onAbort);
      resolve(isThere);
    };
    const onAbort = () => {
      video.cancelVideoFrameCallback(handle);
      settle(false);
    };
    const handle = video.requestVideoFrameCallback(() => settle(true));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
