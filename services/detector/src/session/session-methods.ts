import { create } from "@bufbuild/protobuf";
import { exactDuration } from "@duchenne/control";
import { type DetectorService, StreamConfigurationSchema } from "@duchenne/proto";
import type { ServiceImplementation } from "@duchenne/rpc";
import { MissingFrameError } from "./session-errors.ts";
import type { Sessions } from "./sessions.ts";

type SessionMethod = "openSession" | "pushFrame" | "calibrateSession" | "watchSession" | "closeSession";

/** The methods of the detector for callers that cannot stream requests. @param maxImageBytes as callers are told */
export function sessionMethods(
  sessions: Sessions,
  maxImageBytes: number,
): Pick<ServiceImplementation<typeof DetectorService>, SessionMethod> {
  return {
    async openSession({ configuration = create(StreamConfigurationSchema) }, call) {
      const { name, configured } = await sessions.open(configuration, call);
      return {
        session: name,
        configured,
        idleTimeout: exactDuration(sessions.options.idleMs),
        maxImageBytes: BigInt(maxImageBytes),
      };
    },

    pushFrame({ session, frame }) {
      const pushed = sessions.get(session);
      if (frame === undefined) throw new MissingFrameError("frame", "Expected a frame, got none");
      return pushed.push(frame);
    },

    async calibrateSession({ session, calibration }) {
      await sessions.get(session).calibrate(calibration!);
      return {};
    },

    watchSession: ({ session, after }, { signal }) => sessions.get(session).watch(after, signal),

    async closeSession({ session }) {
      return { summary: await sessions.get(session).close() };
    },
  };
}
