/** A server of one transport. */
export interface TransportServer {
  /** The port it listens on. */
  readonly port: number;
  /** Takes no new connection or call; resolves when the last connection has ended. */
  close(): Promise<void>;
  /** Cuts every connection. */
  destroy(): void;
}
