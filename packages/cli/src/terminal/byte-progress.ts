/** Between two lines where no line can be redrawn. */
const PLAIN_EVERY_MS = 5_000;
const MIB = 2 ** 20;

/**
 * Shows how much of something was sent: one line that moves on a terminal, a line now and then elsewhere.
 *
 * @returns what is told the bytes so far, and of how many; the first and the last are always shown
 */
export function createByteProgress(stream: NodeJS.WriteStream, title: string): (done: number, of: number) => void {
  const moves = stream.isTTY === true;
  let first: { readonly bytes: number; readonly timeMs: number } | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;
  return (done, of) => {
    const nowMs = performance.now();
    first ??= { bytes: done, timeMs: nowMs };
    if (!moves && done < of && nowMs - lastMs < PLAIN_EVERY_MS) return;
    lastMs = nowMs;
    const sent = done - first.bytes;
    const speed = sent > 0 ? `  ${(sent / MIB / ((nowMs - first.timeMs) / 1000)).toFixed(1)} MiB/s` : "";
    const share = `${((100 * done) / of).toFixed(0)} %`.padStart(5);
    const text = `${title} ${share}  ${(done / MIB).toFixed(1)} of ${(of / MIB).toFixed(1)} MiB${speed}`;
    stream.write(moves ? `\r\x1b[2K${text}${done < of ? "" : "\n"}` : `${text}\n`);
  };
}
