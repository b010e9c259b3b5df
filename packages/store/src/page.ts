import { z } from "zod";
import { InvalidPageTokenError } from "./errors.ts";

/** Which part of a list is wanted. */
export interface PageRequest {
  /** At most this many. */
  readonly pageSize: number;
  /** The token of an earlier answer; empty for the first page. */
  readonly pageToken?: string;
}

/** A place in a list: what its order goes by. */
type Place = Readonly<Record<string, string | number>>;

/**
 * The page of which one row more than wanted was read: that one tells whether there is another page.
 *
 * @param placeOf where the next page begins, after the last row of this one
 */
export function pageOf<R>(
  read: readonly R[],
  pageSize: number,
  placeOf: (last: R) => Place,
): { readonly rows: readonly R[]; readonly nextPageToken: string } {
  const rows = read.slice(0, pageSize);
  const last = rows.at(-1);
  const isMore = read.length > pageSize && last !== undefined;
  return { rows, nextPageToken: isMore ? Buffer.from(JSON.stringify(placeOf(last))).toString("base64url") : "" };
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

/** A place in a list by time, newest first, and id. */
export const timedPlaceSchema = z.strictObject({ time: z.number(), id: z.string() });

/** The place of a row of such a list. */
export const timedPlaceOf = ({ create_time, id }: { readonly create_time: number; readonly id: string }) => ({
  time: create_time,
  id,
});
