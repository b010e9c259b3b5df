/** Thrown when a step does something that a recorded function cannot: the message names it and where it stands. */
export class CannotRecordError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "CANNOT_RECORD";

  /** @param what such as "Reading a value" @param remedy what to do instead */
  constructor(what: string, remedy: string, cause?: unknown) {
    const site = callSite(new Error().stack ?? "");
    super(`${what} cannot be recorded${site === undefined ? "" : ` (at ${site})`}: ${remedy}`, { cause });
    this.name = "CannotRecordError";
  }
}

const OWN_FOLDER = new URL("..", import.meta.url).href;

/** The first place in a stack that belongs to the caller's code: "file.ts:12:3". */
function callSite(stack: string): string | undefined {
  for (const line of stack.split("\n").slice(1)) {
    const place = /\(?((?:file:\/\/)?\/[^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place === undefined || place.includes("/node_modules/")) continue;
    const url = place.startsWith("file:") ? place : `file://${place}`;
    if (url.startsWith(OWN_FOLDER) && !url.includes(".test.ts:")) continue;
    return place.replace("file://", "");
  }
  return undefined;
}
