import type { HostedService, ServiceContext } from "@duchenne/control";
import { createDetector } from "@duchenne/detector";
import { createEvaluator } from "@duchenne/evaluator";
import { createTrainer } from "@duchenne/trainer";
import type { StandaloneConfig } from "./config.ts";

/** Makes all services in one process. */
export async function createStandalone(context: ServiceContext, config: StandaloneConfig): Promise<HostedService> {
  const hosted: HostedService[] = [];
  const close: HostedService["close"] = async (options) => {
    await Promise.all(hosted.map((service) => service.close(options)));
  };
  try {
    for (const create of [createDetector, createTrainer, createEvaluator]) hosted.push(await create(context, config));
  } catch (error) {
    await close({ graceMs: 0 });
    throw error;
  }
  // Several serve jobs and models, over the same store: one of each is enough.
  const byName = new Map(
    hosted.flatMap(({ handlers }) => handlers.map((handler) => [handler.service.typeName, handler])),
  );
  const files = hosted.map((service) => service.files).find((each) => each !== undefined);
  return { handlers: [...byName.values()], files, close };
}
