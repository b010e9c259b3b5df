import { Code } from "@connectrpc/connect";

const NAMES: ReadonlyMap<Code, string> = new Map(
  Object.entries(Code).flatMap(([name, code]): [Code, string][] =>
    typeof code === "number" ? [[code, name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()]] : [],
  ),
);

/** The canonical upper-case name of a status code, such as "DEADLINE_EXCEEDED". OpenTelemetry writes codes so. */
export function codeName(code: Code): string {
  // gRPC spells it with two l, Connect with one.
  return code === Code.Canceled ? "CANCELLED" : (NAMES.get(code) ?? "UNKNOWN");
}

/** The code of a canonical lower-case name, such as "deadline_exceeded"; undefined when there is no such name. */
export function codeFromName(name: string): Code | undefined {
  const upper = name.toUpperCase();
  if (upper === "CANCELLED" || upper === "CANCELED") return Code.Canceled;
  for (const [code, known] of NAMES) if (known === upper) return code;
  return undefined;
}
