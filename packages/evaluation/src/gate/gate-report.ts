import { escapeMarkup } from "../escape-markup.ts";
import { tableLines } from "../report-parts.ts";
import type { GateFinding, GateOutcome, GateResult } from "./judge-gate.ts";

const WORDS = { pass: "passed", fail: "failed", could_not_tell: "could not tell" } as const satisfies Record<
  GateOutcome,
  string
>;

/** What a gate found as Markdown. @param title of what was judged */
export function gateMarkdown({ outcome, findings }: GateResult, title: string): string {
  const counts = (Object.keys(WORDS) as GateOutcome[])
    .map((each) => [WORDS[each], findings.filter((found) => found.outcome === each).length] as const)
    .map(([word, count]) => `${word} ${count}`);
  const rows = findings.map((found) => [nameOf(found), WORDS[found.outcome], found.explanation]);
  const table = tableLines(["Rule", "Outcome", "Found"], rows).join("\n").replace("|---:|---:|", "|---|---|");
  return `# Gate ${WORDS[outcome]}: ${title}\n\nRules: ${counts.join(", ")}. What could not be told is no pass.\n${table}\n`;
}

/**
 * What a gate found as JUnit XML: a case a rule, and action unit or expression where it is of each. A broken rule is a
 * failure, one of which it could not be told an error: readers of JUnit take neither for a pass.
 */
export function gateJunit(result: GateResult, title: string): string {
  const count = (outcome: GateOutcome) => result.findings.filter((found) => found.outcome === outcome).length;
  const counts = `tests="${result.findings.length}" failures="${count("fail")}" errors="${count("could_not_tell")}" skipped="0" time="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
<testsuite name="${escapeMarkup(`Gate: ${title}`)}" ${counts}>
${result.findings.map((found) => caseOf(found, title)).join("\n")}
<system-out>${escapeMarkup(gateMarkdown(result, title))}</system-out>
</testsuite>
</testsuites>
`;
}

function caseOf(found: GateFinding, title: string): string {
  const explanation = escapeMarkup(found.explanation);
  const problem = {
    pass: "",
    fail: `<failure message="${explanation}" type="limit"/>`,
    could_not_tell: `<error message="${explanation}" type="could_not_tell"/>`,
  }[found.outcome];
  const output = `<system-out>${explanation}</system-out>`;
  return `<testcase name="${escapeMarkup(nameOf(found))}" classname="${escapeMarkup(title)}" time="0">${problem}${output}</testcase>`;
}

function nameOf({ rule, actionUnit, expression }: GateFinding): string {
  if (expression !== undefined) return `${rule} ${expression}`;
  return actionUnit === undefined ? rule : `${rule} AU${actionUnit}`;
}
