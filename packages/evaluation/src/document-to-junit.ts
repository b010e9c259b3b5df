import { documentToMarkdown } from "./document-to-markdown.ts";
import { escapeMarkup } from "./escape-markup.ts";
import type { ChangeRow, EstimateRow, ReportDocument } from "./report-document.ts";
import { interval } from "./report-parts.ts";

/**
 * Writes a report as JUnit XML: a test case an action unit or expression with its figures or their changes, skipped where
 * none is defined, and the whole report as the suite's output. A report judges nothing: no case fails. The five characters
 * to escape are all that there is to writing it, which needs no library.
 */
export function documentToJunit(document: ReportDocument): string {
  const title = escapeMarkup(document.title);
  const rows = document.blocks.flatMap((block): Row[] => {
    if (block.kind === "estimates") return block.rows.map(rowOfEstimate);
    return block.kind === "changes" ? block.rows.map(rowOfChange) : [];
  });
  const cases = [...Map.groupBy(rows, ({ name }) => name)].map(([name, figures]) => ({
    name,
    figures,
    isUndefined: figures.every(({ isUndefined }) => isUndefined),
  }));
  const skipped = cases.filter(({ isUndefined }) => isUndefined).length;
  const counts = `tests="${cases.length}" failures="0" errors="0" skipped="${skipped}" time="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
<testsuite name="${title}" ${counts}>
${cases.map((each) => caseOf(each, title)).join("\n")}
<system-out>${escapeMarkup(documentToMarkdown(document))}</system-out>
</testsuite>
</testsuites>
`;
}

/** A figure of a case. */
interface Row {
  /** Of the case. */
  readonly name: string;
  readonly line: string;
  readonly isUndefined: boolean;
}

function rowOfEstimate({ name, figure, chance, ...estimate }: EstimateRow): Row {
  const knowingNothing = chance === undefined ? "" : `, knowing nothing ${chance.toFixed(3)}`;
  return { name, line: `${figure}: ${interval(estimate)}${knowingNothing}`, isUndefined: estimate.value === undefined };
}

function rowOfChange({ name, figure, before, after, change }: ChangeRow): Row {
  const line = `${figure}: ${interval(before)}, then ${interval(after)}: change ${interval(change)}`;
  return { name, line, isUndefined: change.value === undefined };
}

interface Case {
  readonly name: string;
  readonly figures: readonly Row[];
  readonly isUndefined: boolean;
}

function caseOf({ name, figures, isUndefined }: Case, className: string): string {
  const skipped = isUndefined ? '<skipped message="No figure is defined on these frames"/>' : "";
  const output = `<system-out>${escapeMarkup(figures.map(({ line }) => line).join("\n"))}</system-out>`;
  return `<testcase name="${escapeMarkup(name)}" classname="${className}" time="0">${skipped}${output}</testcase>`;
}
