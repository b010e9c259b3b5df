import { type S3Client, S3ServiceException } from "@aws-sdk/client-s3";

/** S3 refuses what is signed a quarter of an hour off. */
const JUMP_MS = 600_000;

/**
 * Has calls tried once more that were refused because the machine's clock has jumped. The SDK signs by the server's time,
 * which it knows by its distance from the machine's and learns anew from each answer. It tries again by itself when a clock
 * became wrong, but not when it was set right.
 */
export function retryAfterClockJump(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const before = client.config.systemClockOffset;
      try {
        return await next(args);
      } catch (error) {
        // The answer to a HEAD gives no reason.
        const isRefused = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403;
        const hasJumped = Math.abs(client.config.systemClockOffset - before) > JUMP_MS;
        if (!isRefused || !hasJumped) throw error;
        return next(args);
      }
    },
    { step: "initialize", name: "retryAfterClockJump" },
  );
}
