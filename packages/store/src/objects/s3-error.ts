import { S3ServiceException } from "@aws-sdk/client-s3";
import { DiskFullError } from "../disk-full.ts";
import { StoreAddressError, StoreRefusedError, StoreUnavailableError } from "../errors.ts";
import { isNetworkError, messageOf } from "../network-error.ts";

/** What servers call a disk or a quota that is used up; 507 says the same. */
const FULL = new Set(["QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"]);
/** What is no server's fault by its status, and passes nevertheless, or with the bucket: bytes that were changed on their way. */
const PASSING = new Set([
  ...["BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"],
  ...["RequestTimeout", "Throttling", "ThrottlingException", "SlowDown", "OperationAborted"],
  ...["NoSuchBucket", "NoSuchUpload", "PermanentRedirect", "TemporaryRedirect"],
]);
const REFUSED = new Set(["ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed"]);

/** The error of a call as the store's own, when the object store, not the call, is the reason. */
export function s3Error(place: string, error: unknown): unknown {
  if (error instanceof S3ServiceException) return answered(place, error);
  if (!(error instanceof Error)) return error;
  // Calls are aborted by their time limits only.
  if (isNetworkError(error) || error.name === "AbortError") {
    return new StoreUnavailableError(`The object store ${place} cannot be used: ${messageOf(error)}`, error);
  }
  if (error.name === "CredentialsProviderError") {
    return new StoreRefusedError(`The object store ${place} needs credentials: ${error.message}`, error);
  }
  // The SDK gives it no name of its own.
  if (error.message === "Region is missing") {
    return new StoreAddressError('a region in the address ("&region=") or in the environment', "none");
  }
  return error;
}

function answered(place: string, error: S3ServiceException): Error {
  const { name } = error;
  const status = error.$metadata.httpStatusCode ?? 0;
  const said = error.message === "UnknownError" || error.message === name ? "" : `: ${error.message}`;
  const text = `The object store ${place} answered ${status} ${name}${said}`;
  if (status === 507 || FULL.has(name)) return new DiskFullError(`the object store ${place}`, name, error);
  if (status === 401 || status === 403 || REFUSED.has(name)) return new StoreRefusedError(text, error);
  const isServers = status === 0 || status === 408 || status === 429 || (status >= 500 && status !== 501);
  if (isServers || PASSING.has(name)) return new StoreUnavailableError(text, error);
  return new Error(text, { cause: error });
}
