// Publishes a small detector into the store of a folder, and prints what came of it.
import { createModelConfig, initialiseParameters } from "@duchenne/model";
import { openStore } from "@duchenne/store";
import { publish } from "../src/attempt-publish.ts";

const directory = process.argv[2]!;
const store = await openStore({ directory });
const { job } = await store.jobs.create({ kind: "fine_tune", spec: {} });
const { attempt } = (await store.jobs.claim({ kinds: ["fine_tune"], owner: "test", leaseMs: 60_000 }))!;
const config = createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 });
const none = new Uint32Array();
const outcome = await publish(
  {
    store,
    dataDirectory: directory,
    signal: new AbortController().signal,
    emit: () => {},
    saveCheckpoint: async () => {},
    loadCheckpoint: async () => undefined,
  },
  {
    job: { id: job.id, attempt },
    spec: { dataset: "datasets/d", model: "models/m", recipe: {} },
    dataset: {
      name: "d",
      directory,
      description: "",
      actionUnits: [12],
      subjects: [],
      samples: [],
      digest: "0",
      boxConvention: "unknown",
    },
    parts: { train: none, validation: none, test: none },
    result: { config, parameters: initialiseParameters(config, 1), metrics: {}, epoch: 1 },
    description: "A test's",
    intendedUse: "None.",
  },
).catch(({ code, reason, message }) => ({ code, reason, message }));
await store.close();
process.stdout.write(JSON.stringify(outcome));
