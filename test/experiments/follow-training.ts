import type { TrainingEvent } from "@duchenne/training";

/** What a training made, and its metrics after each epoch. */
export interface FollowedTraining<R> {
  readonly result: R;
  /** Metrics of the held-out part, by epoch. */
  readonly epochs: readonly Readonly<Record<string, number>>[];
}

/** Runs a training to its end and prints a line for each epoch. */
export async function followTraining<R>(
  name: string,
  training: AsyncGenerator<TrainingEvent, R, undefined>,
): Promise<FollowedTraining<R>> {
  const begin = performance.now();
  const epochs: Readonly<Record<string, number>>[] = [];
  for (;;) {
    const next = await training.next();
    const seconds = (performance.now() - begin) / 1000;
    if (next.done === true) return { result: next.value, epochs };
    if (next.value.kind !== "metrics") continue;
    const figures = Object.entries(next.value.values).filter(([figure]) => /^(epoch|test)\/[^/]*$/.test(figure));
    if (figures.length === 0) continue;
    const told = figures.map(([figure, value]) => `${figure} ${value.toPrecision(3)}`).join("  ");
    process.stderr.write(`${name}  ${seconds.toFixed(0)} s  epoch ${next.value.epoch.toFixed(0)}  ${told}\n`);
    if (figures.some(([figure]) => figure.startsWith("test/"))) epochs.push(next.value.values);
  }
}
