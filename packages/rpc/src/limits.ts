/** How much a server takes from its callers. */
export interface RpcLimits {
  /** The largest request message, in bytes. Larger ones are refused as resource_exhausted. */
  readonly maxRequestBytes: number;
  /** The largest response message, in bytes. */
  readonly maxResponseBytes: number;
  /** Calls in flight on one HTTP/2 connection; a client with more waits. */
  readonly maxConcurrentStreamsPerConnection: number;
  /** Streaming calls in flight from one address; one more is refused as resource_exhausted. */
  readonly maxStreamsPerPeer: number;
  /** The longest time a unary call may take, in milliseconds; a longer or missing client timeout is cut to it. */
  readonly maxUnaryDurationMs: number;
  /** The longest time a streaming call may take, in milliseconds; undefined: as long as its client's timeout. */
  readonly maxStreamDurationMs: number | undefined;
}

/** The limits of a server that sets none. */
export const DEFAULT_LIMITS: RpcLimits = {
  maxRequestBytes: 16 * 1024 * 1024,
  maxResponseBytes: 64 * 1024 * 1024,
  maxConcurrentStreamsPerConnection: 256,
  maxStreamsPerPeer: 128,
  maxUnaryDurationMs: 120_000,
  maxStreamDurationMs: undefined,
};
