/** A loaded model that can be put away. */
export interface Disposable {
  dispose(): Promise<void>;
}

/** What a reference resolved to. */
export interface ResolvedReference {
  /** The version's resource name. */
  readonly version: string;
  /** The alias it was reached by; empty for a version and for the built-in model. */
  readonly alias: string;
}

/** Where the registry gets models from. */
export interface ModelSource<M extends Disposable> {
  /** The version a reference means now. Rejects when there is none. */
  resolve(reference: string): Promise<ResolvedReference>;
  /** Loads and warms a version. */
  load(version: string): Promise<M>;
  /**
   * Told when an alias moved and its new version could not be loaded; the old one goes on answering.
   *
   * @param version undefined when the alias cannot be resolved; with a "not_found" error it was deleted
   * @returns what happened, for those who follow the alias
   */
  onLoadFailure(reference: string, version: string | undefined, error: unknown): string;
}

/** A model in use. It is not disposed before its lease was released. */
export interface Lease<M> {
  readonly model: M;
  readonly resolved: ResolvedReference;
  /** Why this is not the model that the alias leads to; undefined when it is. */
  readonly problem: string | undefined;
  release(): void;
}

/** A reference in use: an alias that moves leads to another model. */
export interface Following<M> {
  /** Takes the model that answers now. */
  lease(): Lease<M>;
  /** Whether what it follows was deleted; what answered last goes on answering. */
  isGone(): boolean;
  /** Ends the following; leases taken stay valid until they are released. */
  close(): void;
}

interface Slot<M> {
  readonly version: string;
  readonly loading: Promise<M>;
  users: number;
  /** No alias leads here any more: disposed with the last user instead of kept. */
  retired: boolean;
}

interface Alias<M> {
  resolved: ResolvedReference;
  slot: Slot<M>;
  model: M;
  followers: number;
  problem: string | undefined;
  /** The last move that failed; undefined version: it led nowhere. */
  failed: { readonly version: string | undefined; readonly atMs: number } | undefined;
  /** What says that the alias or version was deleted. */
  gone: Error | undefined;
}

/** How a registry keeps models. */
export interface RegistryOptions {
  /** Models kept loaded that nobody uses, for callers who come back. Default: 2. */
  readonly keepIdle?: number;
  /**
   * The shortest time between two attempts to move an alias to the same version, in milliseconds: the store changes many
   * times a second while a job runs, and each attempt may read a large file. Default: 30,000.
   */
  readonly retryAfterMs?: number;
  /** Milliseconds since some beginning. Default: performance.now */
  readonly now?: () => number;
}

/**
 * Keeps models loaded while they are used. Streams follow aliases: when one moves, the new version is loaded and warmed
 * first, then new leases get it, and the old one is disposed with its last lease.
 */
export class ModelRegistry<M extends Disposable> {
  readonly #source: ModelSource<M>;
  readonly #keepIdle: number;
  readonly #retryAfterMs: number;
  readonly #now: () => number;
  readonly #slots = new Map<string, Slot<M>>();
  readonly #aliases = new Map<string, Alias<M>>();
  readonly #opening = new Map<string, Promise<Alias<M>>>();
  #refreshing: Promise<void> = Promise.resolve();

  constructor(
    source: ModelSource<M>,
    { keepIdle = 2, retryAfterMs = 30_000, now = () => performance.now() }: RegistryOptions = {},
  ) {
    this.#source = source;
    this.#keepIdle = keepIdle;
    this.#retryAfterMs = retryAfterMs;
    this.#now = now;
  }

  /** Follows a reference; rejects when it leads nowhere, whoever still follows it, or its model cannot be loaded. */
  async follow(reference: string): Promise<Following<M>> {
    // It may have been set again a moment ago.
    if (this.#aliases.get(reference)?.gone !== undefined) await this.refresh();
    let alias = this.#aliases.get(reference);
    if (alias?.gone !== undefined) throw alias.gone;
    if (alias === undefined) {
      let opening = this.#opening.get(reference);
      if (opening === undefined) {
        opening = this.#open(reference).finally(() => this.#opening.delete(reference));
        this.#opening.set(reference, opening);
      }
      alias = await opening;
    }
    const followed = alias;
    followed.followers++;
    if (this.#aliases.get(reference) !== followed) {
      this.#aliases.set(reference, followed);
      // It may have moved while its model was loading.
      void this.refresh();
    }
    let closed = false;
    return {
      lease: () => this.#lease(followed),
      isGone: () => followed.gone !== undefined,
      close: () => {
        if (closed) return;
        closed = true;
        if (--followed.followers === 0) {
          this.#aliases.delete(reference);
          this.#release(followed.slot);
        }
      },
    };
  }

  /** Resolves every followed reference again; moves those that lead elsewhere. Runs one at a time. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(async () => {
      for (const [reference, alias] of [...this.#aliases]) await this.#move(reference, alias);
    });
    return this.#refreshing;
  }

  /** Disposes every model, used or not. */
  async close(): Promise<void> {
    await this.#refreshing;
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    await Promise.all(slots.map(async ({ loading }) => (await loading.catch(() => undefined))?.dispose()));
  }

  async #open(reference: string): Promise<Alias<M>> {
    const resolved = await this.#source.resolve(reference);
    const { slot, model } = await this.#acquire(resolved.version);
    return { resolved, slot, model, followers: 0, problem: undefined, failed: undefined, gone: undefined };
  }

  async #move(reference: string, alias: Alias<M>): Promise<void> {
    let version: string | undefined;
    try {
      const resolved = await this.#source.resolve(reference);
      version = resolved.version;
      alias.gone = undefined;
      if (version === alias.resolved.version) {
        alias.resolved = resolved;
        alias.problem = alias.failed = undefined;
        return;
      }
      if (this.#failedLately(alias, version)) return;
      const { slot, model } = await this.#acquire(version);
      const old = alias.slot;
      Object.assign(alias, { resolved, slot, model, problem: undefined, failed: undefined });
      if (alias.followers === 0) this.#release(slot);
      if (this.#aliases.get(reference) === alias) {
        old.retired = true;
        this.#release(old);
      }
    } catch (error) {
      if (version === undefined && alias.gone !== undefined) return;
      if (version === undefined && isNotFound(error)) alias.gone = error;
      else if (this.#failedLately(alias, version)) return;
      alias.failed = { version, atMs: this.#now() };
      alias.problem = this.#source.onLoadFailure(reference, version, error);
    }
  }

  /** Whether the same move failed a short while ago. */
  #failedLately({ failed }: Alias<M>, version: string | undefined): boolean {
    return failed !== undefined && failed.version === version && this.#now() - failed.atMs < this.#retryAfterMs;
  }

  #lease({ slot, model, resolved, problem }: Alias<M>): Lease<M> {
    slot.users++;
    let released = false;
    return {
      model,
      resolved,
      problem,
      release: () => {
        if (released) return;
        released = true;
        this.#release(slot);
      },
    };
  }

  async #acquire(version: string): Promise<{ slot: Slot<M>; model: M }> {
    let slot = this.#slots.get(version);
    if (slot === undefined) {
      slot = { version, loading: this.#source.load(version), users: 0, retired: false };
    } else {
      this.#slots.delete(version);
    }
    // The map's order is the order of use: the first is the oldest.
    this.#slots.set(version, slot);
    slot.users++;
    slot.retired = false;
    try {
      return { slot, model: await slot.loading };
    } catch (error) {
      if (this.#slots.get(version) === slot) this.#slots.delete(version);
      throw error;
    }
  }

  #release(slot: Slot<M>): void {
    slot.users--;
    if (slot.users === 0 && slot.retired) this.#dispose(slot);
    const idle = [...this.#slots.values()].filter(({ users }) => users === 0);
    for (const oldest of idle.slice(0, Math.max(idle.length - this.#keepIdle, 0))) this.#dispose(oldest);
  }

  #dispose(slot: Slot<M>): void {
    if (this.#slots.get(slot.version) !== slot) return;
    this.#slots.delete(slot.version);
    void slot.loading.then((model) => model.dispose()).catch(() => {});
  }
}

/** Whether an error says that there is no such thing, and not that it could not be asked for. */
function isNotFound(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "not_found";
}
