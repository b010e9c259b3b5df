import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Thrown when there is no ffmpeg to read videos with. */
export class FfmpegMissingError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "FFMPEG_MISSING";

  /** @param options.video what is to be read, where there is more than one file */
  constructor({ video, ...options }: ErrorOptions & { readonly video?: string } = {}) {
    const what = video === undefined ? "videos" : `videos such as ${video}`;
    super(
      `Expected the program "ffmpeg" on the PATH of the server to read ${what} with, found none that runs. ` +
        "Install it (Debian, Ubuntu: apt-get install ffmpeg; Fedora: dnf install ffmpeg-free; Alpine: apk add ffmpeg; " +
        "macOS: brew install ffmpeg), or put a static build's folder on PATH, and start the server again.",
      options,
    );
    this.name = "FfmpegMissingError";
  }
}

/** A usable ffmpeg. */
export interface Ffmpeg {
  readonly program: string;
  /** As it names itself, such as "7.1.1". */
  readonly version: string;
  /** The arguments that pass every decoded frame on once: their name changed in ffmpeg 5.1, and the old one is gone in later ones. */
  readonly passThrough: readonly string[];
}

/** Looks for ffmpeg on PATH. @throws {FfmpegMissingError} */
export async function findFfmpeg(program = "ffmpeg"): Promise<Ffmpeg> {
  try {
    const [{ stdout: version }, { stdout: options }] = await Promise.all([
      run(program, ["-hide_banner", "-version"]),
      run(program, ["-hide_banner", "-h", "long"], { maxBuffer: 2 ** 24 }),
    ]);
    return {
      program,
      version: /^ffmpeg version (\S+)/.exec(version)?.[1] ?? "of an unknown version",
      passThrough: /^\s*-fps_mode\b/m.test(options) ? ["-fps_mode", "passthrough"] : ["-vsync", "passthrough"],
    };
  } catch (error) {
    throw new FfmpegMissingError({ cause: error });
  }
}
