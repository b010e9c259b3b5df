import { StoreAddressError } from "../errors.ts";

/** Where objects lie in an S3 API. */
export interface S3Address {
  readonly bucket: string;
  /** Before every key; empty, or ends with "/". */
  readonly prefix: string;
  /** A server other than AWS's. */
  readonly endpoint?: string;
  readonly region?: string;
}

/**
 * Reads "s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu-central-1"; all but the bucket may be absent.
 *
 * @throws {StoreAddressError}
 */
export function parseS3Address(address: string): S3Address {
  const expected = '"s3://bucket/prefix", with "?endpoint=" and "&region=" where they differ from the environment\'s';
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "s3:" || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.host)) {
    throw new StoreAddressError(expected, address);
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "endpoint" && name !== "region") throw new StoreAddressError(expected, address);
  }
  const endpoint = url.searchParams.get("endpoint");
  const region = url.searchParams.get("region");
  if (endpoint !== null && !/^https?:/.test(endpoint)) throw new StoreAddressError(expected, address);
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return {
    bucket: url.host,
    prefix: path === "" ? "" : `${path}/`,
    ...(endpoint !== null && { endpoint }),
    ...(region !== null && { region }),
  };
}
