import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server on which a test can make a network fail. */
export interface NetworkProxy {
  readonly port: number;
  /** From now on, and after so many more bytes of answers, nothing comes through in either direction; nothing is closed. */
  silence(afterBytes?: number): void;
  /** Cuts every connection after so many more bytes of answers. */
  cut(afterBytes?: number): void;
  /** Lets everything through again, on new connections. */
  restore(): void;
  /** Leads new connections to another port: a server that was started again has another one. */
  redirect(targetPort: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of this machine. */
export async function startProxy(firstTargetPort: number): Promise<NetworkProxy> {
  let targetPort = firstTargetPort;
  const sockets = new Set<Socket>();
  let failure: { readonly kind: "silence" | "cut"; bytesLeft: number } | undefined;
  const isSilent = () => failure?.kind === "silence" && failure.bytesLeft <= 0;
  const endAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      // Ends of failing connections say so; that is what the test is about.
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (!isSilent()) other.destroy();
      });
      socket.on("data", (bytes) => {
        if (isSilent()) return;
        if (socket === client || failure === undefined) {
          other.write(bytes);
          return;
        }
        other.write(bytes.subarray(0, failure.bytesLeft));
        failure.bytesLeft -= bytes.length;
        if (failure.kind === "cut" && failure.bytesLeft <= 0) setImmediate(endAll);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    silence(afterBytes = 0) {
      failure = { kind: "silence", bytesLeft: afterBytes };
    },
    cut(afterBytes = 0) {
      failure = { kind: "cut", bytesLeft: afterBytes };
      if (afterBytes === 0) endAll();
    },
    restore() {
      failure = undefined;
    },
    redirect(port) {
      targetPort = port;
    },
    async stop() {
      endAll();
      server.close();
      await once(server, "close");
    },
  };
}
