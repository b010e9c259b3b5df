import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { FrameInput } from "@duchenne/client/browser";
import { DetectorService, StreamDetectResponseSchema, type WatchSessionResponseSchema } from "@duchenne/proto";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";
import { expect, it } from "vitest";
import { LiveRun } from "./live-run.ts";
import type { LiveState } from "./live-state.ts";

type Watched = MessageInitShape<typeof WatchSessionResponseSchema>;
type Answer = MessageInitShape<typeof StreamDetectResponseSchema>;

/** What each session does after its first frame, in the order of their opening. */
type Script = "is-forgotten" | "goes-away" | "stays";

/** A server whose sessions follow a script. */
function scripted(scripts: Script[]) {
  const opened: string[] = [];
  const closed: string[] = [];
  const pushes = new Map<string, PromiseWithResolvers<bigint>>();
  const transport = createRouterTransport(({ service }) => {
    service(DetectorService, {
      openSession({ configuration }) {
        if (configuration?.model === "models/lost@live") throw new ConnectError("no such model", Code.NotFound);
        const session = `sessions/${opened.length}`;
        opened.push(configuration?.model ?? "");
        pushes.set(session, Promise.withResolvers());
        return { session, configured: { credit: 4 } };
      },
      pushFrame({ session, frame }) {
        pushes.get(session)!.resolve(frame!.sequence);
        return { accepted: true };
      },
      async *watchSession({ session }, { signal }): AsyncGenerator<Watched> {
        const sequence = await pushes.get(session)!.promise;
        let number = 1n;
        const answer = (message: Answer["message"]): Watched => ({
          number: number++,
          answer: create(StreamDetectResponseSchema, { message: message! }),
        });
        yield answer({ case: "result", value: { sequence } });
        const script = scripts.shift() ?? "stays";
        if (script === "is-forgotten") throw sessionNotFound();
        if (script === "goes-away") {
          yield answer({ case: "goingAway", value: { reconnectAfter: { nanos: 1_000_000 } } });
          yield answer({ case: "summary", value: {} });
          return;
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
      closeSession({ session }) {
        closed.push(session);
        return {};
      },
    });
  });
  return { detector: createClient(DetectorService, transport), opened, closed };
}

function sessionNotFound(): ConnectError {
  const error = new ConnectError("forgotten", Code.NotFound);
  error.details.push({ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: "SESSION_NOT_FOUND" }) });
  return error;
}

/** A camera that shows a picture now and then until it is closed. */
async function* camera(signal: AbortSignal): AsyncGenerator<FrameInput> {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve));
    yield { image: new Uint8Array([1]) };
  }
}

/** Runs a live view; `until` resolves when as many results came, or a phase. */
function running(server: ReturnType<typeof scripted>, options: Partial<ConstructorParameters<typeof LiveRun>[0]> = {}) {
  const phases: LiveState["phase"][] = [];
  let results = 0;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const run = new LiveRun({
    detector: server.detector,
    openCamera: async (signal) => camera(signal),
    configuration: () => ({ model: "" }),
    onState({ phase }) {
      phases.push(phase);
      wake();
    },
    onAnswer(answer) {
      if (answer.case === "result") results++;
      wake();
    },
    ...options,
  });
  return {
    run,
    phases,
    async until(reached: (results: number, phase: LiveState["phase"]) => boolean): Promise<void> {
      while (!reached(results, run.state.phase)) await changed.promise;
    },
  };
}

it("opens another session when the one it had is forgotten", async () => {
  const server = scripted(["is-forgotten"]);
  const { run, phases, until } = running(server);
  run.start();
  await until((results) => results === 2);
  run.stop();
  expect(phases).toEqual(["asking", "connecting", "live", "waiting", "connecting", "live", "off"]);
  expect(server.opened.length).toBe(2);
});

it("comes back to a server that went away when that says to", async () => {
  const server = scripted(["goes-away"]);
  const { run, phases, until } = running(server);
  run.start();
  await until((results) => results === 2);
  run.stop();
  expect(phases).toEqual(["asking", "connecting", "live", "going-away", "waiting", "connecting", "live", "off"]);
});

it("takes up other settings in another session, and closes the one before", async () => {
  const server = scripted([]);
  let model = "models/a@live";
  const { run, phases, until } = running(server, { configuration: () => ({ model }) });
  run.start();
  await until((results) => results === 1);
  model = "models/b@live";
  run.restart();
  await until((results) => results === 2);
  run.stop();
  expect(server.opened).toEqual(["models/a@live", "models/b@live"]);
  expect(server.closed).toContain("sessions/0");
  expect(phases).toEqual(["asking", "connecting", "live", "connecting", "live", "off"]);
});

it("closes the camera and says why when there is no such model", async () => {
  const cameras: AbortSignal[] = [];
  const { run, until } = running(scripted([]), {
    configuration: () => ({ model: "models/lost@live" }),
    openCamera: async (signal) => {
      cameras.push(signal);
      return camera(signal);
    },
  });
  run.start();
  await until((_, phase) => phase === "failed");
  expect(run.state).toMatchObject({ failure: { kind: "no-model", detail: "no such model" } });
  await new Promise((resolve) => setTimeout(resolve));
  expect(cameras[0]?.aborted).toBe(true);
});

it("says so when the camera is refused, and when it ends by itself", async () => {
  const refusing = running(scripted([]), {
    openCamera: () => Promise.reject(new DOMException("denied", "NotAllowedError")),
  });
  refusing.run.start();
  await refusing.until((_, phase) => phase === "failed");
  expect(refusing.run.state).toMatchObject({ failure: { kind: "camera-refused" } });

  const server = scripted([]);
  const unplugged = running(server, {
    openCamera: async () =>
      (async function* () {
        yield { image: new Uint8Array([1]) };
        await unplugged.until((results) => results === 1);
      })(),
  });
  unplugged.run.start();
  await unplugged.until((_, phase) => phase === "failed");
  expect(unplugged.run.state).toMatchObject({ failure: { kind: "camera-ended" } });
});
