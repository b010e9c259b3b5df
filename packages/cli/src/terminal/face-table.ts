import { actionUnitName } from "@duchenne/data";
import { type Face, Side } from "@duchenne/proto";
import type { Style } from "./style.ts";

const BAR = 20;

/** The scores of one face as lines: a bar for each action unit, its threshold as a tick. Sides follow the whole face. */
export function faceTable({ scores }: Pick<Face, "scores">, style: Style): string[] {
  return scores
    .filter(({ side }) => side === Side.UNSPECIFIED)
    .map(({ actionUnit, score, threshold, present }) => {
      const label = `AU${actionUnit}`.padEnd(5) + actionUnitName(actionUnit).padEnd(22);
      const sides = scores
        .filter((each) => each.actionUnit === actionUnit && each.side !== Side.UNSPECIFIED)
        .map((each) => `${each.side === Side.LEFT ? "L" : "R"} ${each.score.toFixed(2)}`)
        .join("  ");
      const line = `${label}${bar(score, threshold)} ${score.toFixed(2)}`;
      return `${present ? style.highlight(line) : line}  ${style.dim(sides)}`;
    });
}

/** Filled up to the score; the threshold is a tick. */
export function bar(score: number, threshold: number): string {
  const filled = Math.round(Math.min(Math.max(score, 0), 1) * BAR);
  const tick = Math.min(Math.round(threshold * BAR), BAR - 1);
  return Array.from({ length: BAR }, (_, i) => (i === tick ? "┃" : i < filled ? "█" : "░")).join("");
}
