import { type FrameMeters, STAGES, type Stage, type StagesMs } from "../meters/frame-account.ts";
import { byId, make, write } from "./elements.ts";

const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  decode: "Decoding",
  queue: "Queue",
  faces: "Faces",
  inference: "Scores",
  travel: "Network, page",
};

/** The figures of speed. */
export interface MetersView {
  live(meters: FrameMeters): void;
  /** A single picture. */
  photograph(totalMs: number, stages: StagesMs): void;
  clear(): void;
}

/** Makes the figures from the page's elements. */
export function createMetersView(): MetersView {
  const figure = (id: string) => byId(id, HTMLElement);
  const [latency, latencyP95, rate, answered, dropped, reasons] = [
    figure("latency"),
    figure("latency-p95"),
    figure("rate"),
    figure("answered"),
    figure("dropped"),
    figure("reasons"),
  ];
  const segments = new Map(STAGES.map((stage) => [stage, make("span", { "data-stage": stage })]));
  byId("stages-bar", HTMLDivElement).append(...segments.values());
  const times = new Map(STAGES.map((stage) => [stage, make("dd", {}, ["–"])]));
  byId("stages", HTMLDListElement).append(
    ...STAGES.map((stage) =>
      make("div", { "data-stage": stage }, [make("dt", {}, [STAGE_NAMES[stage]]), times.get(stage)!]),
    ),
  );

  function showStages(stages: StagesMs | undefined): void {
    for (const stage of STAGES) {
      segments.get(stage)!.style.setProperty("--share", String(stages?.[stage] ?? 0));
      write(times.get(stage)!, stages === undefined ? "–" : milliseconds(stages[stage]));
    }
  }

  function showFigures(texts: readonly [string, string, string, string, string, string]): void {
    for (const [i, element] of [latency, latencyP95, rate, answered, dropped, reasons].entries()) {
      write(element, texts[i]!);
    }
  }

  return {
    live({ latency: measured, answeredPerSecond, stages, answered: count, dropped: drops, reasons: why, skipped }) {
      const told = [...why].map(([reason, frames]) => `${frames} ${reason}`);
      if (skipped > 0) told.push(`${skipped} not sent`);
      showFigures([
        measured === undefined ? "–" : milliseconds(measured.medianMs),
        measured === undefined ? "" : `95 % within ${milliseconds(measured.p95Ms)}`,
        `${answeredPerSecond.toFixed(answeredPerSecond < 9.95 ? 1 : 0)} / s`,
        `${count} in all`,
        String(drops),
        told.join(", "),
      ]);
      showStages(stages);
    },
    photograph(totalMs, stages) {
      showFigures([milliseconds(totalMs), "from sending to answer", "1", "photograph", "–", ""]);
      showStages(stages);
    },
    clear() {
      showFigures(["–", "", "–", "", "–", ""]);
      showStages(undefined);
    },
  };
}

function milliseconds(value: number): string {
  return value < 9.95 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
