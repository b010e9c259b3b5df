import type { ReportDocument } from "@duchenne/evaluation";

/** A report as a page. The charts are loaded with the first one that is asked for. */
export async function pageOf(document: ReportDocument): Promise<string> {
  const { documentToHtml } = await import("@duchenne/evaluation/page");
  return documentToHtml(document);
}
