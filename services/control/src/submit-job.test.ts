import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CreateEvaluationRequest,
  CreateEvaluationRequestSchema,
  CreateProjectionRequestSchema,
  EvaluatorService,
} from "@duchenne/proto";
import type { Store } from "@duchenne/store";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { resolveVersion } from "./model-service.ts";
import { versionName } from "./resource-name.ts";
import { submitJob } from "./submit-job.ts";

type Request = Exclude<MessageInitShape<typeof CreateEvaluationRequestSchema>, CreateEvaluationRequest>;

describe.each(contractDrivers)("on $name, a request that is repeated", (driver) => {
  const fixture = useStore(driver);
  const target = (version: string) => ({ model: "demo", version });
  const promote = (version: string) =>
    fixture.store.models.setAlias({ model: "demo", alias: "live", target: target(version) });
  const makeVersions = async () => {
    for (const i of [1, 2]) await fixture.store.models.createVersion({ model: "demo", card: { i }, artifacts: [] });
    await promote("1");
  };
  const named = { requestId: "r", modelVersion: "models/demo@live", dataset: "datasets/faces" };

  /** Asks for the evaluation of a version. @param beforeMade is waited for when the version is known */
  const ask = (request: Request = {}, { store = fixture.store as Store, beforeMade = async () => {} } = {}) => {
    const message = create(CreateEvaluationRequestSchema, { ...named, ...request });
    return submitJob(store, EvaluatorService.method.createEvaluation, message, async () => {
      const { model, version } = await resolveVersion(store, message.modelVersion, "model_version");
      await beforeMade();
      const spec = { modelVersion: versionName(model, version), dataset: message.dataset };
      return { kind: "evaluation", spec, displayName: "Evaluation", modelVersions: [{ model, version }] };
    });
  };
  const idOf = ({ name = "" }: { readonly name?: string | undefined }) => name.slice("jobs/".length);
  const reused = { code: "already_exists", reason: "REQUEST_ID_REUSED" };

  it("answers the same job when the alias that it names has moved", async () => {
    await makeVersions();
    const first = await ask();
    await promote("2");
    expect((await ask()).name).toBe(first.name);
    expect((await ask({ requestId: "s" })).spec).toMatchObject({ modelVersion: "models/demo/versions/2" });
  });

  it("answers the same job when the version that it names was deleted", async () => {
    await makeVersions();
    const request = { modelVersion: "models/demo/versions/2" };
    const first = await ask(request);
    await fixture.store.jobs.requestCancel(idOf(first));
    await fixture.store.models.deleteVersion("demo", "2");
    expect((await ask(request)).name).toBe(first.name);
    const checked = await ask({ ...request, validateOnly: true });
    expect(checked).toMatchObject({ kind: "evaluation", spec: first.spec, displayName: "Evaluation" });
    expect(checked).not.toHaveProperty("name");
    await expect(ask({ ...request, requestId: "s" })).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
  });

  it("is the same when it says the same of how the job is run", async () => {
    await makeVersions();
    const [one, two] = [idOf(await ask({ requestId: "" })), idOf(await ask({ requestId: "" }))];
    const after = [`jobs/${one}`, `jobs/${two}`];
    const resources = { gpu: 1, memory_gib: 8 };
    const first = await ask({ jobOptions: { after, resources } });
    const same = { after: after.toReversed(), resources: { memory_gib: 8, gpu: 1 } };
    expect((await ask({ jobOptions: same })).name).toBe(first.name);
    for (const jobOptions of [{ after }, { resources }, { after, resources, priority: 1 }]) {
      await expect(ask({ jobOptions })).rejects.toMatchObject(reused);
    }
    expect((await ask({ requestId: "s", jobOptions: {} })).name).toBe((await ask({ requestId: "s" })).name);
  });

  it("is refused when it is another one, also one that could not be, or of another method", async () => {
    await makeVersions();
    await ask();
    const others: Request[] = [
      { modelVersion: "models/demo/versions/1" },
      { modelVersion: "models/none/versions/1" },
      { dataset: "datasets/others" },
      { seed: 1n },
    ];
    for (const other of others) await expect(ask(other)).rejects.toMatchObject(reused);
    await expect(ask({ seed: 1n, validateOnly: true })).rejects.toMatchObject(reused);
    const method = EvaluatorService.method.createProjection;
    const projection = submitJob(fixture.store, method, create(CreateProjectionRequestSchema, named), async () => ({
      kind: "evaluation",
      spec: {},
    }));
    await expect(projection).rejects.toMatchObject(reused);
  });

  it("is one job when it arrives twice at once, though its alias moves in between", async () => {
    await makeVersions();
    const store = await fixture.openAgain();
    let second: ReturnType<typeof ask> | undefined;
    const first = await ask(
      {},
      {
        async beforeMade() {
          await promote("2");
          const { promise: bothKnow, resolve: secondKnows } = Promise.withResolvers<void>();
          second = ask({}, { store, beforeMade: async () => secondKnows() });
          await bothKnow;
        },
      },
    );
    expect((await second!).name).toBe(first.name);
    expect((await fixture.store.jobs.list({ pageSize: 5 })).jobs).toHaveLength(1);
  });

  it("lets one of two requests through that have the same id and arrive at once", async () => {
    await makeVersions();
    const other = await fixture.openAgain();
    for (let i = 0; i < 4; i++) {
      const requestId = `r${i}`;
      const arrived = [ask({ requestId, seed: 1n }), ask({ requestId, seed: 2n }, { store: other })];
      const ended = await Promise.allSettled(arrived);
      expect(ended.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      for (const each of ended) if (each.status === "rejected") expect(each.reason).toMatchObject(reused);
    }
  });

  it("is compared with what a job is made from that an earlier release made", async () => {
    await makeVersions();
    const spec = { modelVersion: "models/demo/versions/1", dataset: "datasets/faces" };
    const { job } = await fixture.store.jobs.create({ kind: "evaluation", spec, requestId: "r" });
    expect(idOf(await ask())).toBe(job.id);
    await promote("2");
    await expect(ask()).rejects.toMatchObject(reused);
  });
});
