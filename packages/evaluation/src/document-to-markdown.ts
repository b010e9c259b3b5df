import type { Cell, ReportBlock, ReportDocument } from "./report-document.ts";
import { tableLines } from "./report-parts.ts";

/** Writes a report as Markdown, which has its texts and tables. */
export function documentToMarkdown({ title, blocks }: ReportDocument): string {
  return `${[`# ${title}`, ...blocks.flatMap(linesOf)].join("\n")}\n`;
}

function linesOf(block: ReportBlock): string[] {
  switch (block.kind) {
    case "text":
      return ["", block.text];
    case "table": {
      const rows = [
        ...block.rows,
        ...(block.footers ?? []).map(([name = "", ...cells]) => [{ strong: name }, ...cells]),
      ];
      return tableLines(
        block.heading,
        rows.map((row) => row.map(cellOf)),
      );
    }
    case "estimates":
    case "runs":
    case "changes":
    case "calibration":
    case "confusion":
    case "scatter":
      return [];
  }
}

const cellOf = (cell: Cell): string => (typeof cell === "string" ? cell : `**${cell.strong}**`);
