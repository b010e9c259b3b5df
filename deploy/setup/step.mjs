// Runs on any Node >= 20, before anything is installed.

/** Thrown when set-up cannot go on; `remedy` says what the reader can do about it. */
export class SetupError extends Error {
  /**
   * @param {string} message what failed
   * @param {string} remedy what to install or change
   */
  constructor(message, remedy) {
    super(message);
    this.name = "SetupError";
    this.remedy = remedy;
  }
}

/**
 * Runs one step of the set-up: says what it does, and afterwards how long it took.
 *
 * @template T
 * @param {string} title what the step does, such as "Installing packages"
 * @param {() => Promise<T>} work the step
 * @returns {Promise<T>} what the step made
 */
export async function step(title, work) {
  const start = performance.now();
  process.stderr.write(`· ${title} ...\n`);
  const result = await work();
  process.stderr.write(`  ${title}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}
