import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StreamConfiguredSchema } from "@duchenne/proto";
import { resolvedModelMessage } from "../convert.ts";
import type { Lease } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { policyMessage, type StreamSettings, smoothingMessage } from "./stream-settings.ts";

/** What a stream is answered by. @param credit frames that the caller may send in addition */
export function configuredMessage(
  { policy, maxFaces, detectEvery, smoothing, priority }: StreamSettings,
  { model, resolved, problem }: Pick<Lease<ServedModel>, "model" | "resolved" | "problem">,
  credit: number,
): MessageInitShape<typeof StreamConfiguredSchema> {
  const smoothed = smoothingMessage(smoothing);
  return {
    model: resolvedModelMessage(model, resolved.alias),
    policy: policyMessage(policy),
    maxFaces,
    warnings: [...model.au.describe().warnings, ...(problem === undefined ? [] : [problem])],
    credit,
    tracking: { detectEvery },
    ...(smoothed && { smoothing: smoothed }),
    priority,
  };
}
