import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { DetectorService } from "@duchenne/proto";
import { expect, it } from "vitest";
import type { Photograph } from "../source/photograph.ts";
import { PhotographRun, type PhotographState } from "./photograph-run.ts";

/** A server that fails as it is told, then finds one face in every picture. */
function running(failures: Code[]) {
  const images: number[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(DetectorService, {
      detectFaces({ image }) {
        images.push(image[0]!);
        const code = failures.shift();
        if (code !== undefined) throw new ConnectError("as told", code);
        return { faces: [{}] };
      },
    });
  });
  const phases: PhotographState["phase"][] = [];
  const scored: number[] = [];
  const run: PhotographRun = new PhotographRun({
    detector: createClient(DetectorService, transport),
    request: () => ({ model: "" }),
    onState({ phase }) {
      phases.push(phase);
      if (phase === "waiting") setTimeout(() => run.retry());
    },
    onScored: ({ faces }) => scored.push(faces.length),
  });
  return { run, phases, scored, images };
}

function photograph(number: number, closed: number[] = []): Photograph {
  return {
    name: `${number}.jpg`,
    size: { width: 1, height: 1 },
    url: "",
    image: new Uint8Array([number]),
    close: () => void closed.push(number),
  };
}

it("scores a photograph, also when the server has to be asked again", async () => {
  const { run, phases, scored } = running([Code.Unavailable]);
  expect(run.state).toBeUndefined();
  await run.open(photograph(1));
  expect(phases).toEqual(["scoring", "waiting", "scored"]);
  expect(scored).toEqual([1]);
});

it("fails where another try would, and tries again when it is told to", async () => {
  const { run, phases, scored } = running([Code.NotFound]);
  await run.open(photograph(1));
  expect(run.state).toMatchObject({ phase: "failed", failure: { kind: "no-model" } });
  await run.score();
  expect(phases).toEqual(["scoring", "failed", "scoring", "scored"]);
  expect(scored).toEqual([1]);
});

it("answers nothing of a photograph that another one has replaced", async () => {
  const closed: number[] = [];
  const { run, scored, images } = running([]);
  const first = run.open(photograph(1, closed));
  await run.open(photograph(2, closed));
  await first;
  expect(images.at(-1)).toBe(2);
  expect(scored).toEqual([1]);
  expect(closed).toEqual([1]);
  run.close();
  expect(closed).toEqual([1, 2]);
  expect(run.state).toBeUndefined();
});
