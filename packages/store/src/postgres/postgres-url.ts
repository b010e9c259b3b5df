import { StoreAddressError } from "../errors.ts";

/** A database's URL without its password, for messages. @throws {StoreAddressError} */
export function databaseName(url: string): string {
  const expected = '"postgres://user:password@host:port/database"';
  if (!URL.canParse(url)) throw new StoreAddressError(expected, "what is no URL");
  const parsed = new URL(url);
  if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") {
    throw new StoreAddressError(expected, `${parsed.protocol}//...`);
  }
  parsed.password = "";
  parsed.search = "";
  return parsed.href;
}
