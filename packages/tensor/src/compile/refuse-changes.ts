import type { TensorFlow } from "../tensorflow.ts";
import { CannotRecordError } from "./cannot-record-error.ts";

/** Frames of a stack that an error needs to show the caller's code below tf.js's. */
const STACK_FRAMES = 60;

/** Runs what is recorded. Meanwhile variables can neither be made nor assigned, and stacks reach down to the caller. */
export function refuseChanges<T>(tf: TensorFlow, body: () => T): T {
  const engine = tf.engine();
  const prototype = tf.Variable.prototype;
  const { makeVariable } = engine;
  const { assign } = prototype;
  const { stackTraceLimit } = Error;
  engine.makeVariable = () => {
    throw new CannotRecordError("Making a variable", "make it before, and put it into the step's state");
  };
  prototype.assign = () => {
    throw new CannotRecordError("Assigning to a variable", "return its new value among the step's updates");
  };
  Error.stackTraceLimit = STACK_FRAMES;
  try {
    return body();
  } finally {
    engine.makeVariable = makeVariable;
    prototype.assign = assign;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
