import type { ReportBlock, ReportDocument } from "./report-document.ts";
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
      const [name, ...means] = block.footer ?? [];
      return tableLines(block.heading, [...block.rows, ...(name === undefined ? [] : [[`**${name}**`, ...means]])]);
    }
    case "estimates":
    case "runs":
    case "calibration":
    case "confusion":
    case "scatter":
      return [];
  }
}
