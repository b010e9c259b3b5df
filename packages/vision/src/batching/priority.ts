import { UnknownPriorityError } from "./queue-errors.ts";
import type { BatchingOptions } from "./request-queue.ts";

/** The priority that a caller gets who asks for one, from 1; 0 or nothing: the default. @throws {UnknownPriorityError} */
export function priorityFrom(
  priority: number | undefined,
  { priorities, defaultPriority }: Pick<BatchingOptions, "priorities" | "defaultPriority">,
): number {
  const asked = priority || defaultPriority;
  if (asked > priorities.length) throw new UnknownPriorityError(asked, priorities.length, defaultPriority);
  return asked;
}
