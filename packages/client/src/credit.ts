/** Frames that may be sent: a sender takes one at a time and waits while there is none. */
export interface Credit {
  /** Resolves to true when a frame may be sent, to false when no frame may be sent any more. */
  take(): Promise<boolean>;
  give(frames: number): void;
  /** What is waited for; undefined when no frame may be sent any more before it comes. */
  unlessClosed<T>(awaited: Promise<T>): Promise<T | undefined>;
  /** No frame may be sent any more. */
  close(): void;
}

/** Makes a credit of no frames. */
export function createCredit(): Credit {
  let frames = 0;
  let closed = false;
  // Not Promise.race with a promise of the closing, which would keep something of every frame until then.
  const onClose = new Set<() => void>();
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  return {
    async take() {
      while (frames <= 0 && !closed) await changed.promise;
      frames--;
      return !closed;
    },
    unlessClosed(awaited) {
      return new Promise((resolve, reject) => {
        const settle = (then: () => void) => {
          onClose.delete(giveUp);
          then();
        };
        const giveUp = () => settle(() => resolve(undefined));
        onClose.add(giveUp);
        awaited.then(
          (value) => settle(() => resolve(value)),
          (error: unknown) => settle(() => reject(error)),
        );
        if (closed) giveUp();
      });
    },
    give(more) {
      frames += more;
      wake();
    },
    close() {
      closed = true;
      for (const giveUp of onClose) giveUp();
      wake();
    },
  };
}
