/** What sockets and names fail with when a server, or the way to it, is the reason. */
const CODES = new Set([
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EMFILE",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENFILE",
  "ENOBUFS",
  "ENOTFOUND",
  "EPIPE",
  "EPROTO",
  "ETIMEDOUT",
]);
/** What TLS fails with: Node's and OpenSSL's names. A certificate that is renewed makes them pass. */
const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH)/;
/** Of what is no socket's: a Unix socket that is not there, say. */
const SYSTEM_CALLS = new Set(["connect", "getaddrinfo"]);

/** True when a connection failed, was lost or was too slow, rather than what was asked over it. */
export function isNetworkError(error: unknown): boolean {
  // Several addresses were tried.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isNetworkError);
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && (CODES.has(code) || TLS_CODES.test(code))) return true;
  return error.name === "TimeoutError" || (syscall !== undefined && SYSTEM_CALLS.has(syscall));
}

/** What an error says; where several addresses were tried, for each of them. */
export function messageOf(error: unknown): string {
  const parts = error instanceof AggregateError ? error.errors : [error];
  return parts.map((part) => (part instanceof Error ? part.message : String(part))).join("; ");
}
