import { Socket } from "node:net";

/**
 * A socket that fails when nothing is heard or said on it for a time: a network that drops everything says nothing, and
 * TCP itself waits for minutes. It must be longer than the server may think.
 */
export function socketWithLimit(silenceMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () => {
    socket.destroy(Object.assign(new Error(`no answer within ${silenceMs} ms`), { code: "ETIMEDOUT" }));
  });
}
