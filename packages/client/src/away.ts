import { Code } from "@connectrpc/connect";

/** Statuses of a server that is away, was killed, or is on its way back. */
export const AWAY: readonly Code[] = [Code.Unavailable, Code.Canceled, Code.Aborted, Code.Unknown, Code.Internal];
