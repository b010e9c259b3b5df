import type { TensorFlow } from "../tensorflow.ts";

/**
 * Lets go of what tf.js keeps for a gradient whose function has thrown: it frees that only when a gradient succeeds. To be
 * called outside of any gradient.
 */
export function abandonGradient(tf: TensorFlow): void {
  const { state } = tf.engine();
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved);
  state.activeTape = [];
}
