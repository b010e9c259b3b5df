import { durationMs } from "@bufbuild/protobuf/wkt";
import { jobStateName } from "@duchenne/client";
import { type JobEvent, JobState } from "@duchenne/proto";
import type { Style } from "./style.ts";

const WIDTH = 28;
/** Between two lines where no line can be redrawn. */
const PLAIN_EVERY_MS = 5_000;

/** Draws a job's events: one line that moves on a terminal, a line now and then elsewhere. */
export interface JobProgress {
  show(event: JobEvent): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

/** Starts to draw on a stream. @param title what the job is */
export function createJobProgress(stream: NodeJS.WriteStream, style: Style, title: string): JobProgress {
  const moves = stream.isTTY === true;
  const metrics = new Map<string, number>();
  let drawn = false;
  let lastPlainMs = 0;
  let line = "";

  function draw(text: string, final = false): void {
    line = text;
    if (moves) {
      stream.write(`\r\x1b[2K${clip(text, (stream.columns ?? 80) - 1)}`);
      drawn = true;
    } else if (final || Date.now() - lastPlainMs >= PLAIN_EVERY_MS) {
      lastPlainMs = Date.now();
      stream.write(`${text}\n`);
      line = "";
    }
  }
  function note(text: string): void {
    stream.write(moves && drawn ? `\r\x1b[2K${text}\n` : `${text}\n`);
    if (moves && drawn) draw(line);
  }

  return {
    show({ event, attempt }) {
      switch (event.case) {
        case "progress": {
          const { fraction, eta, step, totalSteps, imagesPerSecond } = event.value;
          const filled = Math.round(fraction * WIDTH);
          const bar = style.good("█".repeat(filled)) + style.dim("░".repeat(WIDTH - filled));
          const rest = eta === undefined ? "" : `  ETA ${clock(durationMs(eta))}`;
          const speed = imagesPerSecond > 0 ? `  ${imagesPerSecond.toFixed(0)} images/s` : "";
          const percent = `${(100 * fraction).toFixed(0)} %`.padStart(5);
          draw(`${title} ${bar} ${percent}  ${step}/${totalSteps}${speed}${rest}${shown(metrics)}`, fraction === 1);
          break;
        }
        case "metrics":
          for (const [name, value] of Object.entries(event.value.values)) metrics.set(name, value);
          break;
        case "state":
          if (event.value.state === JobState.RUNNING && attempt > 1) note(style.dim(`${title}: attempt ${attempt}`));
          if (event.value.error !== undefined) note(style.bad(`${title}: ${event.value.error.message}`));
          break;
        case "child": {
          const { displayName, state, error } = event.value;
          if (state === JobState.QUEUED) break;
          const text = `${title}: ${displayName}: ${jobStateName(state)}`;
          note(error === undefined ? style.dim(text) : style.bad(`${text}: ${error.message}`));
          break;
        }
        case "log":
          note(style.dim(`${title}: ${event.value.text}`));
          break;
      }
    },
    end() {
      if (moves && drawn) stream.write("\n");
      drawn = false;
    },
  };
}

/** The metrics that people watch, with short names, and their decimals where these are not three. */
const SHOWN: readonly (readonly [name: string, label: string, decimals?: number])[] = [
  ["train/auLoss", "AU loss"],
  ["train/loss", "loss"],
  ["train/identityLoss", "identity loss"],
  ["train/gradientRatio", "identity/AU gradient"],
  ["validation/meanF1", "F1"],
  ["validation/macroAuc", "AUC"],
  ["test/sweptF1", "swept F1 on the test part"],
  ["validation/top1", "top-1"],
  ["test/top1", "top-1 on the test part"],
  ["klDivergence", "divergence"],
  ["curation/kept", "kept", 0],
];

function shown(metrics: ReadonlyMap<string, number>): string {
  return SHOWN.flatMap(([name, label, decimals = 3]) => {
    const value = metrics.get(name);
    return value === undefined ? [] : `  ${label} ${value.toFixed(decimals)}`;
  }).join("");
}

/** "1:05" or "2:10:00". */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Cuts a line with colours to a number of columns. */
function clip(text: string, columns: number): string {
  let seen = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with one
  return text.replace(/\x1b\[[0-9;]*m|./gu, (part) =>
    part.length > 1 && part.startsWith("\x1b") ? part : seen++ < columns ? part : "",
  );
}
