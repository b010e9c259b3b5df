import { writeFile } from "node:fs/promises";
import { ReportFormat } from "@duchenne/proto";

/** Where the forms of a report go. */
export interface ReportForms {
  /** Print JSON instead of Markdown. */
  readonly json: boolean;
  /** A file for the page. */
  readonly html?: string | undefined;
  /** A file for JUnit XML. */
  readonly junit?: string | undefined;
}

/** The formats that must be asked for. */
export function formatsFor({ html, junit }: Omit<ReportForms, "json">): ReportFormat[] {
  return [...(html === undefined ? [] : [ReportFormat.HTML]), ...(junit === undefined ? [] : [ReportFormat.JUNIT])];
}

/** Prints a report and writes its files. */
export async function putOut(
  report: { readonly json: string; readonly markdown: string; readonly html: string; readonly junitXml?: string },
  { json, html, junit }: ReportForms,
): Promise<void> {
  if (html !== undefined) await writeFile(html, report.html);
  if (junit !== undefined) await writeFile(junit, report.junitXml ?? "");
  process.stdout.write(json ? `${report.json}\n` : report.markdown);
}
