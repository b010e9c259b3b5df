/** Frames that may be sent: a sender takes one at a time and waits while there is none. */
export interface Credit {
  /** Resolves to true when a frame may be sent, to false when no frame may be sent any more. */
  take(): Promise<boolean>;
  give(frames: number): void;
  /** No frame may be sent any more. */
  close(): void;
}

/** Makes a credit of no frames. */
export function createCredit(): Credit {
  let frames = 0;
  let closed = false;
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
    give(more) {
      frames += more;
      wake();
    },
    close() {
      closed = true;
      wake();
    },
  };
}
