import { Code, ConnectError } from "@connectrpc/connect";
import { ManifestError } from "@duchenne/data";
import { BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";
import { z } from "zod";

/** An error as people read it: what happened, the fields it is about, and what to do. */
export function describeError(error: unknown): string {
  if (error instanceof ManifestError) {
    return [error.message, ...error.violations.map((each) => `  ${each.field}: ${each.description}`)].join("\n");
  }
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n");
  }
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error);
  const lines = [error.rawMessage];
  for (const { fieldViolations } of error.findDetails(BadRequestSchema)) {
    for (const { field, description } of fieldViolations) lines.push(`  ${field}: ${description}`);
  }
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info !== undefined) lines[0] += ` (${info.reason})`;
  if (error.code === Code.Unavailable) {
    lines.push('  Is a server running? Start one with "duchenne serve", or name it with --server.');
  }
  return lines.join("\n");
}
