/** What ffmpeg's log says of a frame before its pixels come. */
export interface FrameMark {
  /** The container's presentation time, in seconds; undefined when the container has none. */
  readonly timestampS: number | undefined;
  readonly width: number;
  readonly height: number;
}

/** Lines of errors that are kept: a damaged file can have millions. */
const KEPT_ERRORS = 10;

/** Reads what ffmpeg logs (`-v repeat+level+verbose`, filter `showinfo`), and holds the marks of frames until they are asked for. */
export class FrameLog {
  readonly #marks: FrameMark[] = [];
  readonly #errors: string[] = [];
  #secondsPerTick = Number.NaN;
  #durationS: number | undefined;
  #packets: number | undefined;
  #errorCount = 0;
  #announced = 0;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /** The container's duration, in seconds, when it says one. */
  get durationS(): number | undefined {
    return this.#durationS;
  }

  /** Packets of the video stream; known at the end. */
  get packets(): number | undefined {
    return this.#packets;
  }

  /** Lines that ffmpeg logged as errors. */
  get errorCount(): number {
    return this.#errorCount;
  }

  /** The first of them. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Frames that were announced so far. */
  get announced(): number {
    return this.#announced;
  }

  /** Marks that nobody has asked for yet. */
  get waiting(): number {
    return this.#marks.length;
  }

  /** Takes a line. */
  add(line: string): void {
    const level = /\[(fatal|error|panic)\]\s*(.*)$/.exec(line);
    // The way out to the pipe complains about times that its own, coarser clock cannot tell apart.
    if (level !== null && line.includes("rawvideo @")) return;
    if (level !== null) {
      this.#errorCount++;
      if (this.#errors.length < KEPT_ERRORS) this.#errors.push(level[2]!);
      return;
    }
    if (line.includes("Parsed_showinfo")) {
      this.#addShown(line);
      return;
    }
    const duration = /^(?:\[\w+\])?\s*Duration: (\d+):(\d\d):(\d\d\.\d+)/.exec(line);
    if (duration !== null) {
      this.#durationS = 3600 * Number(duration[1]) + 60 * Number(duration[2]) + Number(duration[3]);
      return;
    }
    const read = /Input stream #\d+:\d+ \(video\): (\d+) packets read/.exec(line);
    if (read !== null) this.#packets = Math.max(this.#packets ?? 0, Number(read[1]));
  }

  /** No line comes any more. */
  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** The next frame's mark; undefined when there is none and the log has ended. */
  async next(): Promise<FrameMark | undefined> {
    while (this.#marks.length === 0 && !this.#ended) {
      await this.#wake.promise;
      if (!this.#ended) this.#wake = Promise.withResolvers();
    }
    return this.#marks.shift();
  }

  #addShown(line: string): void {
    // Said again when the stream changes in its middle.
    const base = /config in time_base: (\d+)\/(\d+)/.exec(line);
    if (base !== null) {
      this.#secondsPerTick = Number(base[1]) / Number(base[2]);
      return;
    }
    const frame = /\bn:\s*\d+ pts:\s*(\S+) .*\bs:(\d+)x(\d+)/.exec(line);
    if (frame === null) return;
    const [, pts, width, height] = frame;
    // Its own seconds ("pts_time") have six digits: too few after some minutes.
    const seconds = Number(pts) * this.#secondsPerTick;
    const timestampS = Number.isFinite(seconds) ? seconds : undefined;
    this.#announced++;
    this.#marks.push({ timestampS, width: Number(width), height: Number(height) });
    this.#wake.resolve();
  }
}
