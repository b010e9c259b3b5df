import type { RgbImage } from "../../image.ts";

/** Bits a second that the encoder may use; the quality decides, and needs far less. */
const MOST_BITS = "20M";
/** Constant quality of VP8, from 4, the best: folds and lids are fine. */
const QUALITY = "4";
/** AVFMT_FLAG_BITEXACT, which the package does not name. */
const BIT_EXACT = 0x400;
const FILE = "video.webm";

/** Makes a video file of pictures. */
export interface WebmWriter {
  /** Encodes the next picture. */
  add(image: RgbImage): Promise<void>;
  /** Ends the video. @returns the file */
  finish(): Promise<Uint8Array>;
}

/**
 * Starts a WebM file (VP8, no sound) in memory. The same pictures give the same bytes. The encoder, libvpx compiled to
 * WebAssembly, runs in this thread and is loaded with the first video.
 *
 * @param options size of the pictures in pixels, and whole pictures a second
 */
export async function createWebmWriter({
  width,
  height,
  frameRateHz,
}: {
  readonly width: number;
  readonly height: number;
  readonly frameRateHz: number;
}): Promise<WebmWriter> {
  const { default: wrapper } = await import("@libav.js/variant-webm");
  // Without threads: how they share the work would show in the bytes.
  const libav = await wrapper.LibAV({ noworker: true, nothreads: true });
  // It greets on the standard output otherwise.
  await libav.av_log_set_level(libav.AV_LOG_ERROR);
  const { AV_PIX_FMT_RGB24: rgb24, AV_PIX_FMT_YUV420P: yuv420p } = libav;
  const [, context, frame, packet] = await libav.ff_init_encoder("libvpx", {
    ctx: { pix_fmt: yuv420p, width, height, framerate_num: frameRateHz, framerate_den: 1 },
    time_base: [1, frameRateHz],
    options: { crf: QUALITY, b: MOST_BITS, deadline: "good", "cpu-used": "4" },
  });
  const [container, , output] = await libav.ff_init_muxer({ filename: FILE, open: true }, [[context, 1, frameRateHz]]);
  // Otherwise it draws ids from the clock.
  await libav.AVFormatContext_flags_s(container, BIT_EXACT);
  succeed("write the header", await libav.avformat_write_header(container, 0));
  const bilinear = 2;
  const scaler = await libav.sws_getContext(width, height, rgb24, width, height, yuv420p, bilinear, 0, 0, 0);
  const rgb = await libav.av_frame_alloc();

  async function write(frames: Parameters<typeof libav.ff_encode_multi>[3], last: boolean): Promise<void> {
    const packets = await libav.ff_encode_multi(context, frame, packet, frames, last);
    // Without durations the video would end when its last picture begins.
    await libav.ff_write_multi(
      container,
      packet,
      packets.map((each) => ({ ...each, duration: 1, durationhi: 0 })),
    );
  }

  let count = 0;
  return {
    async add({ data, width: wide, height: high }) {
      if (wide !== width || high !== height) {
        throw new RangeError(`Expected a picture of ${width} x ${height} pixels, got ${wide} x ${high}`);
      }
      const layout = [{ offset: 0, stride: 3 * width }];
      await libav.ff_copyin_frame(rgb, { data, layout, format: rgb24, width, height });
      // Encoding takes it over and frees it. A copy in JavaScript would lose the last row of colour of odd sizes.
      const yuv = await libav.av_frame_alloc();
      succeed("convert a picture", await libav.sws_scale_frame(scaler, yuv, rgb));
      await libav.AVFrame_pts_s(yuv, count++);
      await write([yuv], false);
    },

    async finish() {
      await write([], true);
      succeed("write the trailer", await libav.av_write_trailer(container));
      await libav.ff_free_muxer(container, output);
      await libav.ff_free_encoder(context, frame, packet);
      return libav.readFile(FILE);
    },
  };
}

function succeed(what: string, code: number): void {
  if (code < 0) throw new Error(`The video encoder could not ${what}: code ${code}`);
}
