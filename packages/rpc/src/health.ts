import { EventEmitter, on } from "node:events";
import { Health as HealthService, HealthCheckResponse_ServingStatus as WireStatus } from "@duchenne/proto/rpc";
import type { RpcFailure } from "./errors.ts";
import { type ServiceHandler, serviceHandler } from "./service-handler.ts";

/** Whether a service can answer. */
export type ServingStatus = "serving" | "not_serving";

/** What a server tells of its health through grpc.health.v1. The empty service name stands for the whole server. */
export interface Health {
  /** Sets the status of a service, or of the whole server when the name is empty, and tells every watcher. */
  set(service: string, status: ServingStatus): void;
  /** The status of a service; undefined for a service that is not known. */
  get(service: string): ServingStatus | undefined;
}

/** Thrown by a health check that names a service which the server does not know. */
export class UnknownServiceError extends Error implements RpcFailure {
  override readonly name = "UnknownServiceError";
  readonly code = "not_found";
  readonly reason = "UNKNOWN_SERVICE";

  constructor(service: string) {
    super(`Expected a service of this server, got "${service}"`);
  }
}

/** Creates the health of these services, all serving, and the grpc.health.v1 service that answers with it. */
export function createHealth(services: readonly string[]): { health: Health; handler: ServiceHandler; stop(): void } {
  const statuses = new Map<string, ServingStatus>(["", ...services].map((service) => [service, "serving"]));
  const changes = new EventEmitter<{ change: [service: string] }>();
  // As many watchers as there are streams.
  changes.setMaxListeners(0);
  let stopped = false;

  const set = (service: string, status: ServingStatus) => {
    // A server that stops does not come back.
    const next = stopped ? "not_serving" : status;
    if (statuses.get(service) === next) return;
    statuses.set(service, next);
    changes.emit("change", service);
  };
  const wireStatus = (service: string) => toWire(statuses.get(service));

  const handler = serviceHandler(HealthService, {
    check({ service }) {
      if (!statuses.has(service)) throw new UnknownServiceError(service);
      return { status: wireStatus(service) };
    },
    list() {
      const all = [...statuses.keys()].map((service) => [service, { status: wireStatus(service) }] as const);
      return { statuses: Object.fromEntries(all) };
    },
    async *watch({ service }, { signal, draining }) {
      const ends = AbortSignal.any([signal, draining]);
      let told = wireStatus(service);
      const events = on(changes, "change", { signal: ends });
      yield { status: told };
      try {
        for await (const _ of events) {
          const status = wireStatus(service);
          if (status === told) continue;
          told = status;
          yield { status };
        }
      } catch (error) {
        if (!draining.aborted || signal.aborted) throw error;
        // The last word of a server that stops.
        if (wireStatus(service) !== told) yield { status: wireStatus(service) };
      }
    },
  });

  return {
    health: { set, get: (service) => statuses.get(service) },
    handler,
    stop() {
      stopped = true;
      for (const service of statuses.keys()) set(service, "not_serving");
    },
  };
}

function toWire(status: ServingStatus | undefined): WireStatus {
  if (status === undefined) return WireStatus.SERVICE_UNKNOWN;
  return status === "serving" ? WireStatus.SERVING : WireStatus.NOT_SERVING;
}
