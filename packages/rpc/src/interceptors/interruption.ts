import type { Interceptor } from "../call.ts";
import type { Logger } from "../logger.ts";

/**
 * Ends a call the moment its signal aborts, with the signal's reason, even while its handler waits for something that
 * does not listen to the signal. The handler is told to return at its next step.
 */
export function interruptionInterceptor(logger: Logger): Interceptor {
  return (next) => (call) => {
    const { signal, method } = call.context;
    const late = (error: unknown) => {
      if (error !== signal.reason) {
        logger.debug({ method: `${method.parent.typeName}/${method.name}`, error }, "Error after the end of a call");
      }
    };
    return interruptible(next(call), signal, late);
  };
}

function interruptible<T>(
  iterable: AsyncIterable<T>,
  signal: AbortSignal,
  onLateError: (error: unknown) => void,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      const iterator = iterable[Symbol.asyncIterator]();
      // One listener for the whole call: racing each step against one promise would pile up reactions on it.
      let interrupt: (() => void) | undefined;
      const onAbort = () => interrupt?.();
      signal.addEventListener("abort", onAbort, { once: true });
      const stop = () => signal.removeEventListener("abort", onAbort);
      const leave = () => {
        stop();
        Promise.resolve(iterator.return?.()).catch(onLateError);
      };
      return {
        next() {
          if (signal.aborted) {
            leave();
            return Promise.reject(signal.reason);
          }
          const step = iterator.next();
          return new Promise((resolve, reject) => {
            interrupt = () => {
              interrupt = undefined;
              step.catch(onLateError);
              leave();
              reject(signal.reason);
            };
            step.then(
              (result) => {
                interrupt = undefined;
                if (result.done === true) stop();
                resolve(result);
              },
              (error) => {
                interrupt = undefined;
                stop();
                reject(error);
              },
            );
          });
        },
        async return(value) {
          if (signal.aborted) leave();
          else {
            stop();
            await iterator.return?.();
          }
          return { done: true, value };
        },
      };
    },
  };
}
