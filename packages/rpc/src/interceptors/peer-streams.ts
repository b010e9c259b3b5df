import type { Interceptor } from "../call.ts";
import type { RpcFailure } from "../errors.ts";

/** Thrown when one address has as many streams open as it may. */
export class TooManyStreamsError extends Error implements RpcFailure {
  override readonly name = "TooManyStreamsError";
  readonly code = "resource_exhausted";
  readonly reason = "TOO_MANY_STREAMS";

  constructor(maxStreams: number) {
    super(`Expected at most ${maxStreams} streams open from one address; end one first`);
  }
}

/** Refuses a streaming call when its address already has `maxStreamsPerPeer` open. */
export function peerStreamsInterceptor(maxStreamsPerPeer: number): Interceptor {
  const open = new Map<string, number>();
  return (next) =>
    async function* (call) {
      if (call.context.method.methodKind === "unary") {
        yield* next(call);
        return;
      }
      const address = call.context.peer.replace(/:\d+$/, "");
      const streams = open.get(address) ?? 0;
      if (streams >= maxStreamsPerPeer) throw new TooManyStreamsError(maxStreamsPerPeer);
      open.set(address, streams + 1);
      try {
        yield* next(call);
      } finally {
        const left = (open.get(address) ?? 1) - 1;
        if (left === 0) open.delete(address);
        else open.set(address, left);
      }
    };
}
