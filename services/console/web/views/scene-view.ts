import type { ActionUnitDescription, Face } from "@duchenne/proto";
import { createOverlayView } from "../overlay/overlay-view.ts";
import { presentInWords, scoreKindInWords, scoreRows } from "../scores/score-rows.ts";
import { SelectedFace } from "../scores/selected-face.ts";
import { ChartedUnits } from "../series/charted-units.ts";
import { createScoreChart } from "../series/score-chart.ts";
import { ScoreHistory } from "../series/score-history.ts";
import type { Size } from "../source/fit-within.ts";
import { byId } from "./elements.ts";
import { faceInWords, faceName, showFaces } from "./faces-view.ts";
import { showLegend } from "./legend-view.ts";
import { createPoliteText } from "./polite-text.ts";
import { createUnitsView } from "./units-view.ts";

/** Half a minute of frames at 60 a second. */
const MOMENTS = 1_800;
const PRESENT_EVERY_MS = 600;
/** The chart is the costly part of the drawing; its half minute moves by two pixels in this time. */
const CHART_EVERY_MS = 100;

/** The faces of the picture: boxes over it, bars beside it, and the chart of the one that is selected. */
export interface SceneView {
  /** The one whose scores are shown. */
  readonly selected: SelectedFace;
  /** Another model answers from now on. */
  describe(units: readonly ActionUnitDescription[]): void;
  /** Faces of a frame or a photograph. @param picture the size that their boxes are in */
  show(faces: readonly Face[], picture: Size | undefined, timeMs: number): void;
  setMirrored(isMirrored: boolean): void;
  /** No picture any more. */
  clear(): void;
}

/** Makes it from the page's elements. It draws once a frame of the screen, however often it is told something. */
export function createSceneView(): SceneView {
  const selected = new SelectedFace();
  const charted = new ChartedUnits();
  const history = new ScoreHistory(MOMENTS);
  let units: readonly ActionUnitDescription[] = [];
  let picture: Size | undefined;
  let isMirrored = false;
  let isDrawing = false;
  let isChartWaiting = false;

  const choose = (faceId: bigint) => {
    selected.choose(faceId);
    draw();
  };
  const unitsView = createUnitsView(byId("units", HTMLUListElement), (actionUnit) => {
    charted.toggle(actionUnit);
    draw();
  });
  const stage = byId("stage", HTMLElement);
  const overlay = createOverlayView(byId("overlay", HTMLCanvasElement), stage, choose, draw);
  const chart = createScoreChart(byId("chart", HTMLElement), history, charted);
  const legend = byId("legend", HTMLUListElement);
  const facesGroup = byId("faces", HTMLElement);
  const note = createPoliteText(byId("units-note", HTMLElement), PRESENT_EVERY_MS);
  const present = createPoliteText(byId("present", HTMLElement), PRESENT_EVERY_MS);

  function draw(): void {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      drawNow();
    });
  }

  function drawNow(): void {
    const { face } = selected;
    const rows = scoreRows(units, face);
    const kind = scoreKindInWords(units);
    unitsView.show(rows, kind, charted);
    showLegend(legend, charted);
    showFaces(facesGroup, selected, choose);
    overlay.draw(selected, picture, isMirrored, labelOf);
    drawChart();
    if (units.length === 0) return;
    present(
      face !== undefined ? presentInWords(rows) : picture === undefined ? "No picture yet" : "No face in the picture",
    );
    const sides = rows.some(({ left }) => left !== undefined)
      ? ", the thin ones below are the person's left and right"
      : "";
    const scale = `${kind} from 0 to 1; the line in a bar is its threshold${sides}.`;
    note(face === undefined ? scale : `${scale} ${faceInWords(face)}`);
  }

  function drawChart(): void {
    if (isChartWaiting) return;
    isChartWaiting = true;
    setTimeout(() => {
      isChartWaiting = false;
      chart.draw(Date.now(), new Map(units.map(({ actionUnit, threshold }) => [actionUnit, threshold])));
    }, CHART_EVERY_MS);
  }

  function labelOf(faceId: bigint): string {
    const rows = scoreRows(
      units,
      selected.faces.find((face) => face.faceId === faceId),
    );
    const seen = rows.filter((row) => row.present).map(({ actionUnit }) => `AU${actionUnit}`);
    return [faceName(faceId), ...seen].join(" ");
  }

  return {
    selected,
    describe(described) {
      const numbers = described.map(({ actionUnit }) => actionUnit);
      const isSame = numbers.join() === units.map(({ actionUnit }) => actionUnit).join();
      units = described;
      charted.describe(numbers);
      if (!isSame) history.reset(numbers);
      draw();
    },
    show(faces, size, timeMs) {
      selected.show(faces);
      picture = size;
      const scores = new Map(scoreRows(units, selected.face).map(({ actionUnit, score }) => [actionUnit, score]));
      history.push(timeMs, (actionUnit) => scores.get(actionUnit));
      draw();
    },
    setMirrored(mirrored) {
      isMirrored = mirrored;
      draw();
    },
    clear() {
      selected.clear();
      picture = undefined;
      history.reset(units.map(({ actionUnit }) => actionUnit));
      draw();
    },
  };
}
