import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FFMPEG, ffmpeg, joinClips, packetTimes, writeClip } from "../../test-fixtures/index.ts";
import {
  type Ffmpeg,
  FfmpegMissingError,
  findFfmpeg,
  type OpenVideoOptions,
  openVideo,
  UnreadableVideoError,
  type VideoSummary,
  VideoTooLargeError,
} from "../index.ts";

let folder: string;
let program: Ffmpeg;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-video-"));
  program = await findFfmpeg(FFMPEG);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Read {
  readonly times: (number | undefined)[];
  readonly sizes: string[];
  /** The mean level of each frame. */
  readonly levels: number[];
  readonly summary: VideoSummary;
}

async function readAll(path: string, options: Partial<OpenVideoOptions> = {}): Promise<Read> {
  const { frames } = openVideo(path, { ffmpeg: program, ...options });
  const [times, sizes, levels]: [Read["times"], string[], number[]] = [[], [], []];
  for (let next = await frames.next(); ; next = await frames.next()) {
    if (next.done === true) return { times, sizes, levels, summary: next.value };
    const { index, timestampS, width, height, data } = next.value;
    expect(index).toBe(times.length);
    expect(data.length).toBe(3 * width * height);
    times.push(timestampS);
    sizes.push(`${width}x${height}`);
    levels.push(data.reduce((sum, level) => sum + level, 0) / data.length);
  }
}

/** Times in milliseconds, rounded. */
const ms = (times: Read["times"]) => times.map((time) => Math.round(1000 * time!));
const every = (count: number, stepMs: number, fromMs = 0) =>
  Array.from({ length: count }, (_, i) => Math.round(fromMs + i * stepMs));

describe("a video", () => {
  it("gives each frame once, at its time", async () => {
    const path = await writeClip(join(folder, "constant.mp4"), { frames: 30, rateHz: 25 });
    const { times, sizes, summary } = await readAll(path);
    expect(ms(times)).toEqual(every(30, 40));
    expect(new Set(sizes)).toEqual(new Set(["96x64"]));
    expect(summary).toEqual({ frames: 30, packets: 30, errorCount: 0, errors: [] });
  });

  it("of a variable rate is neither thinned nor filled up", async () => {
    const slow = await writeClip(join(folder, "slow.mp4"), { frames: 20, rateHz: 10 });
    const fast = await writeClip(join(folder, "fast.mp4"), { frames: 25, rateHz: 20 });
    const path = await joinClips(folder, "variable.mp4", [slow, fast]);
    const { times, summary } = await readAll(path);
    expect(ms(times)).toEqual(await packetTimes(path));
    const steps = ms(times).map((time, i, all) => time - (all[i - 1] ?? time - 100));
    expect(steps.slice(0, 20)).toEqual(every(20, 0, 100));
    expect(steps.slice(21)).toEqual(every(24, 0, 50));
    expect(summary).toMatchObject({ frames: 45, packets: 45 });
  });

  it.each(["mkv", "webm", "avi", "ts"])("in %s has the frames and times that the container says", async (ending) => {
    const path = await writeClip(join(folder, `clip.${ending}`), { frames: 24, rateHz: 24 });
    const { times, summary } = await readAll(path);
    expect(summary.frames).toBe(24);
    expect(ms(times)).toEqual(await packetTimes(path));
    // A transport stream does not begin at 0, and its times are told as they stand.
    if (ending === "ts") expect(times[0]).toBeGreaterThan(1);
  });

  it("has odd sides", async () => {
    const path = await writeClip(
      join(folder, "odd.avi"),
      { frames: 3, rateHz: 5 },
      "-vf",
      "scale=97:61,format=bgr0",
      "-c:v",
      "ffv1",
    );
    const { sizes, summary } = await readAll(path);
    expect(sizes).toEqual(["97x61", "97x61", "97x61"]);
    expect(summary.frames).toBe(3);
  });

  it("keeps frames and times when their size changes in the middle", async () => {
    const small = await writeClip(join(folder, "small.ts"), { frames: 10, rateHz: 25, size: "64x48" }, "-c:v", "mpeg4");
    const shifted = ["-c:v", "mpeg4", "-output_ts_offset", "0.44"];
    const large = await writeClip(join(folder, "large.ts"), { frames: 10, rateHz: 25, size: "128x96" }, ...shifted);
    const path = join(folder, "sizes.ts");
    await writeFile(path, Buffer.concat([await readFile(small), await readFile(large)]));
    const { times, sizes, summary } = await readAll(path);
    expect(new Set(sizes)).toEqual(new Set(["64x48"]));
    const packets = await packetTimes(path);
    expect(summary).toMatchObject({ frames: 20, packets: 20 });
    expect(ms(times)).toEqual(packets);
  });

  it("is read upright when the container says that it was filmed sideways", async () => {
    const path = await writeClip(join(folder, "lying.mp4"), { frames: 4, rateHz: 10 });
    await ffmpeg("-i", path, "-c", "copy", "-metadata:s:v:0", "rotate=90", join(folder, "turned.mp4"));
    expect((await readAll(join(folder, "turned.mp4"))).sizes[0]).toBe("64x96");
  });

  it("with a black stretch has those frames, too", async () => {
    const path = join(folder, "black.mp4");
    const black = "drawbox=color=black:t=fill:enable='between(n,10,19)'";
    await writeClip(path, { frames: 30, rateHz: 10 }, "-vf", black);
    const { levels } = await readAll(path);
    expect(levels.flatMap((level, i) => (level < 2 ? [i] : []))).toEqual(every(10, 1, 10));
  });

  it("that was cut off is read as far as it goes", async () => {
    const path = await writeClip(join(folder, "cut.mkv"), { frames: 100, rateHz: 25 }, "-g", "10");
    await truncate(path, Math.floor((await readFile(path)).length / 2));
    const { times, summary } = await readAll(path);
    expect(summary.frames).toBeGreaterThan(20);
    expect(summary.frames).toBeLessThan(80);
    expect(ms(times)).toEqual((await packetTimes(path)).slice(0, times.length));
  });

  it("with a corrupt stretch goes on behind it, and says so", async () => {
    const path = await writeClip(join(folder, "corrupt.ts"), { frames: 100, rateHz: 25 }, "-g", "10", "-bf", "0");
    const bytes = await readFile(path);
    // Behind the first key frames; sync bytes stay, so that the demuxer finds its packets.
    for (let at = Math.floor(bytes.length * 0.4); at < bytes.length * 0.5; at++) if (at % 188 > 3) bytes[at] = at % 251;
    await writeFile(path, bytes);
    const { times, summary } = await readAll(path);
    expect(summary.errorCount).toBeGreaterThan(0);
    expect(summary.errors.length).toBeGreaterThan(0);
    expect(summary.frames).toBeGreaterThan(80);
    expect(summary.frames).toBe(times.length);
    const offsets = ms(times.map((time) => time! - times[0]!));
    expect(offsets.at(-1)).toBe(99 * 40);
    // None twice.
    expect(new Set(offsets).size).toBe(times.length);
  });

  it("is decoded no faster than its frames are taken", async () => {
    const path = await writeClip(join(folder, "long.mp4"), { frames: 200, rateHz: 50, size: "320x240" });
    const video = openVideo(path, { ffmpeg: program });
    let ahead = 0;
    let taken = 0;
    for await (const { data } of video.frames) {
      taken++;
      // Work that takes longer than decoding, with time for what comes meanwhile.
      for (let i = 0; i < 3; i++) {
        data.reduce((sum, level) => sum + level, 0);
        await setImmediate();
      }
      ahead = Math.max(ahead, video.announced() - taken);
    }
    expect(taken).toBe(200);
    expect(video.announced()).toBe(200);
    expect(ahead).toBeLessThan(32);
  });

  it("ends its program when it is given up", async () => {
    const path = join(folder, "long.mp4");
    const abort = new AbortController();
    const video = openVideo(path, { ffmpeg: program, signal: abort.signal });
    for (let i = 0; i < 5; i++) await video.frames.next();
    expect(video.durationS()).toBeCloseTo(4, 1);
    abort.abort(new Error("enough"));
    // Frames that were on their way may come; the rest does not.
    const rest = async () => {
      for await (const _ of video.frames) taken++;
    };
    let taken = 5;
    await expect(rest()).rejects.toThrow("enough");
    expect(taken).toBeLessThan(32);
    const left = openVideo(path, { ffmpeg: program });
    for await (const _ of left.frames) break;
    expect(left.announced()).toBeLessThan(200);
  });
});

describe("what is no video", () => {
  it.each([
    ["text", "no video at all"],
    // A playlist would make ffmpeg open what it names.
    ["a playlist", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nconstant.mp4\n#EXT-X-ENDLIST\n"],
    ["nothing", ""],
  ])("is refused: %s", async (_, content) => {
    const path = join(folder, "constant.m3u8");
    await writeFile(path, content);
    await expect(readAll(path)).rejects.toThrow(UnreadableVideoError);
  });

  it("is refused: sound alone", async () => {
    const path = join(folder, "sound.mp4");
    await ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path);
    await expect(readAll(path)).rejects.toMatchObject({ reason: "UNREADABLE_VIDEO" });
  });

  it("is refused: more pixels than may be", async () => {
    const path = await writeClip(join(folder, "wide.mp4"), { frames: 2, rateHz: 10 });
    await expect(readAll(path, { maxSide: 95 })).rejects.toThrow(VideoTooLargeError);
  });
});

describe("ffmpeg", () => {
  it("that is missing is named, with how to install it", async () => {
    const error = await findFfmpeg(join(folder, "no-ffmpeg")).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FfmpegMissingError);
    expect(error).toMatchObject({ code: "failed_precondition", reason: "FFMPEG_MISSING" });
    expect(String(error)).toMatch(/"ffmpeg" on the PATH.*apt-get install ffmpeg/);
    const gone = { ...program, program: join(folder, "no-ffmpeg") };
    await expect(readAll(join(folder, "any.mp4"), { ffmpeg: gone })).rejects.toThrow(FfmpegMissingError);
  });

  it("is asked for its own name of passing frames through", () => {
    // The one of the tests is from 2018.
    expect(program.passThrough).toEqual(["-vsync", "passthrough"]);
  });
});
