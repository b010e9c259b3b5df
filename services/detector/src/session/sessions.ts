import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StreamConfiguration, StreamConfiguredSchema } from "@duchenne/proto";
import { LiveSession, type LiveSessionOptions, type SessionCall } from "./live-session.ts";
import { SessionNotFoundError, TooManySessionsError } from "./session-errors.ts";

/** How many sessions a server keeps, and how. */
export interface SessionsOptions extends LiveSessionOptions {
  /** Open ones and those that ended a short while ago, which make room for new ones. */
  readonly maxSessions: number;
}

/** The sessions of a server, by their names. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** In the order of their opening. */
  readonly #sessions = new Map<string, LiveSession>();
  #opening = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get options(): SessionsOptions {
    return this.#options;
  }

  /**
   * Opens a session, and abandons it when its caller has left meanwhile. Rejects with what a stream of this
   * configuration would end with.
   *
   * @throws {TooManySessionsError}
   */
  async open(
    configuration: StreamConfiguration,
    call: SessionCall,
  ): Promise<{ readonly name: string; readonly configured: MessageInitShape<typeof StreamConfiguredSchema> }> {
    this.#makeRoom();
    this.#opening++;
    try {
      const forget = ({ name }: LiveSession) => this.#sessions.delete(name);
      const { session, configured } = await LiveSession.open(configuration, call, this.#options, forget);
      if (call.signal.aborted) {
        await session.abandon();
        call.signal.throwIfAborted();
      }
      this.#sessions.set(session.name, session);
      return { name: session.name, configured };
    } finally {
      this.#opening--;
    }
  }

  /** @throws {SessionNotFoundError} */
  get(name: string): LiveSession {
    const session = this.#sessions.get(name);
    if (session === undefined) throw new SessionNotFoundError(name);
    return session;
  }

  /** Ends all of them; what is in work is thrown away. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.abandon()));
    this.#sessions.clear();
  }

  #makeRoom(): void {
    const { maxSessions } = this.#options;
    if (this.#sessions.size + this.#opening < maxSessions) return;
    const ended = [...this.#sessions.values()].find((session) => session.ended);
    if (ended === undefined) throw new TooManySessionsError(maxSessions);
    this.#sessions.delete(ended.name);
  }
}
