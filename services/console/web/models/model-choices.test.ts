import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { ModelSchema, ModelService, ModelVersionSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { defaultVersion, listModels, modelGroups, versionInWords } from "./model-choices.ts";

const version = (name: string, kind: string, actionUnit?: number) =>
  create(ModelVersionSchema, { name, kind, actionUnits: actionUnit === undefined ? [] : [{ actionUnit }] });
const listed = [
  {
    model: create(ModelSchema, {
      name: "models/default",
      aliases: [{ name: "models/default@live", version: "models/mine/versions/2" }],
    }),
    versions: [],
  },
  {
    model: create(ModelSchema, {
      name: "models/mine",
      aliases: [{ name: "models/mine@canary", version: "models/mine/versions/2" }],
    }),
    versions: [version("models/mine/versions/2", "vit", 12), version("models/mine/versions/1", "mae")],
  },
  {
    model: create(ModelSchema, { name: "models/moods" }),
    versions: [version("models/moods/versions/1", "vit-expression")],
  },
];

it("offers aliases, then versions that detect action units, and nothing else", () => {
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
  expect(defaultVersion([{ model, versions: [builtIn] }, ...listed.slice(1)])).toBe(builtIn);
  expect(defaultVersion([])).toBeUndefined();
});

it("names versions for people", () => {
  expect(versionInWords("models/blendshape-au/versions/1")).toBe("blendshape-au version 1");
});

it("reads every page", async () => {
  const transport = createRouterTransport(({ service }) => {
    service(ModelService, {
      listModels: ({ pageToken }) =>
        pageToken === ""
          ? { models: [listed[0]!.model], nextPageToken: "next" }
          : { models: [listed[1]!.model, listed[2]!.model] },
      listModelVersions: ({ parent }) => ({
        modelVersions: listed.find(({ model }) => model.name === parent)!.versions,
      }),
    });
  });
  const read = await listModels(createClient(ModelService, transport), new AbortController().signal);
  expect(modelGroups(read)).toEqual(modelGroups(listed));
});
