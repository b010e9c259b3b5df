import type { z } from "zod";
import { InvalidPageTokenError } from "./errors.ts";

/** Which part of a list is wanted. */
export interface PageRequest {
  /** At most this many. */
  readonly pageSize: number;
  /** The token of an earlier answer; empty for the first page. */
  readonly pageToken?: string;
}

/** Writes the place in a list where the next page begins. */
export function pageToken(place: Readonly<Record<string, string | number>>): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Reads a place back; undefined for the first page. @throws {InvalidPageTokenError} */
export function placeFromPageToken<S extends z.ZodType>(token: string | undefined, schema: S): z.output<S> | undefined {
  if (token === undefined || token === "") return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
  } catch {
    throw new InvalidPageTokenError();
  }
}
