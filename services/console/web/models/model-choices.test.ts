import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { ModelSchema, ModelService, type ModelVersion, ModelVersionSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { defaultVersion, listModels, modelGroups, versionInWords } from "./model-choices.ts";

const version = (name: string, kind: string, actionUnit?: number) =>
  create(ModelVersionSchema, { name, kind, actionUnits: actionUnit === undefined ? [] : [{ actionUnit }] });
const detector = version("models/mine/versions/2", "vit", 12);
const classifier = version("models/moods/versions/1", "vit-expression");
const listed = [
  {
    model: create(ModelSchema, {
      name: "models/default",
      aliases: [{ name: "models/default@live", version: detector.name }],
    }),
    versions: [],
    aliased: new Map([["models/default@live", detector]]),
  },
  {
    model: create(ModelSchema, {
      name: "models/mine",
      aliases: [{ name: "models/mine@canary", version: detector.name }],
    }),
    versions: [detector, version("models/mine/versions/1", "mae")],
    aliased: new Map([["models/mine@canary", detector]]),
  },
  {
    model: create(ModelSchema, {
      name: "models/moods",
      aliases: [{ name: "models/moods@live", version: classifier.name }],
    }),
    versions: [classifier],
    aliased: new Map([["models/moods@live", classifier]]),
  },
];

it("offers aliases, then versions, all that lead to a detector, and nothing else", () => {
  expect(modelGroups(listed)).toEqual([
    { label: "default", choices: [{ value: "models/default@live", label: "live, now mine version 2" }] },
    {
      label: "mine",
      choices: [
        { value: "models/mine@canary", label: "canary, now version 2" },
        { value: "models/mine/versions/2", label: "version 2" },
      ],
    },
  ]);
});

it("knows what answers when no model is named", () => {
  expect(defaultVersion(listed)?.name).toBe("models/mine/versions/2");
  const builtIn = version("models/blendshape-au/versions/1", "blendshape-au", 1);
  const model = create(ModelSchema, { name: "models/blendshape-au" });
  expect(defaultVersion([{ model, versions: [builtIn], aliased: new Map() }, ...listed.slice(1)])).toBe(builtIn);
  expect(defaultVersion([])).toBeUndefined();
});

it("names versions for people", () => {
  expect(versionInWords("models/blendshape-au/versions/1")).toBe("blendshape-au version 1");
});

/** What a server answers whose lists have the newest versions alone. */
const served = (more: { readonly aliased?: ModelVersion } = {}) =>
  createRouterTransport(({ service }) => {
    const old = "models/mine/versions/0";
    const aliases = [{ name: "models/old@live", version: old }];
    service(ModelService, {
      listModels: ({ pageToken }) =>
        pageToken === ""
          ? { models: [listed[0]!.model], nextPageToken: "next" }
          : { models: [listed[1]!.model, listed[2]!.model, create(ModelSchema, { name: "models/old", aliases })] },
      listModelVersions: ({ parent }) => ({
        modelVersions: listed.find(({ model }) => model.name === parent)?.versions ?? [],
      }),
      getModelVersion: ({ name }) => {
        if (name !== old || more.aliased === undefined) throw new ConnectError(`no ${name}`, Code.NotFound);
        return more.aliased;
      },
    });
  });
const groupsOf = async (transport: ReturnType<typeof served>) =>
  modelGroups(await listModels(createClient(ModelService, transport), new AbortController().signal));

it("reads every page, and leaves out an alias whose version is gone by now", async () => {
  expect(await groupsOf(served())).toEqual(modelGroups(listed));
});

it("offers an alias whose version is not among the newest of its model, if it is a detector", async () => {
  const older = [{ value: "models/old@live", label: "live, now mine version 0" }];
  const aliased = version("models/mine/versions/0", "vit", 4);
  expect(await groupsOf(served({ aliased }))).toEqual([...modelGroups(listed), { label: "old", choices: older }]);
  expect(await groupsOf(served({ aliased: version(aliased.name, "mae") }))).toEqual(modelGroups(listed));
});

it("knows what answers by default when it is not among the newest of its model", () => {
  const live = version("models/mine/versions/0", "vit", 4);
  const { model, versions } = listed[0]!;
  expect(defaultVersion([{ model, versions, aliased: new Map([["models/default@live", live]]) }])).toBe(live);
});
