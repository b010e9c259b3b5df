import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The order of the layers: a package depends only on packages of a lower number. */
const layers: Record<string, number> = {
  "@duchenne/proto": 0,
  "@duchenne/onnx": 0,
  "@duchenne/provision": 0,
  "@duchenne/tensor": 1,
  "@duchenne/data": 1,
  "@duchenne/store": 1,
  "@duchenne/rpc": 1,
  "@duchenne/jobs": 2,
  "@duchenne/model": 3,
  "@duchenne/vision": 4,
  "@duchenne/evaluation": 4,
  "@duchenne/training": 5,
  "@duchenne/video": 5,
  "@duchenne/client": 6,
  "@duchenne/console": 7,
  "@duchenne/control": 7,
  "@duchenne/detector": 8,
  "@duchenne/trainer": 8,
  "@duchenne/evaluator": 8,
  "@duchenne/standalone": 9,
  "@duchenne/cli": 10,
  "@duchenne/deploy": 11,
  "@duchenne/test": 12,
};

/** Sources that may reach TensorFlow, apart from packages/tensor itself. */
const mayReachTensorFlow = [
  /^packages\/model\/src\/training\//,
  /^packages\/training\//,
  /^services\/trainer\/src\/attempt/,
  /^test\//,
];

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const folders = ["proto", "deploy", "test"].concat(
  ["packages", "services"].flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name))),
);
const packages = folders.map((folder) => ({
  folder,
  manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest,
}));

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder)) {
    if (["node_modules", "gen", "dist", "third_party"].includes(entry)) continue;
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (/\.(ts|mts|mjs)$/.test(entry)) yield path;
  }
}

const importPattern = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
function importsOf(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(importPattern)].map((match) => match[1] ?? "");
}

describe("the packages", () => {
  it.each(packages)("$manifest.name depends only on lower layers", ({ manifest }) => {
    const own = layers[manifest.name];
    expect(own, `${manifest.name} has no layer`).toBeDefined();
    const upward = Object.keys(manifest.dependencies ?? {}).filter(
      (name) => name.startsWith("@duchenne/") && !((layers[name] ?? Number.POSITIVE_INFINITY) < (own ?? 0)),
    );
    expect(upward).toEqual([]);
  });

  it.each(packages)(
    "$manifest.name declares what it imports, and enters others by their entries",
    ({ folder, manifest }) => {
      const declared = new Set([
        manifest.name,
        ...Object.keys(manifest.dependencies ?? {}),
        ...Object.keys(manifest.devDependencies ?? {}),
      ]);
      const problems: string[] = [];
      for (const path of sources(join(root, folder))) {
        for (const specifier of importsOf(path)) {
          const where = `${relative(root, path)} imports ${specifier}`;
          if (specifier.startsWith("@duchenne/")) {
            if (!declared.has(specifier.split("/").slice(0, 2).join("/"))) problems.push(`${where}, undeclared`);
            if (specifier.includes("/src/")) problems.push(`${where}, past its entry`);
          }
          if (
            specifier.startsWith("../") &&
            relative(join(root, folder), join(dirname(path), specifier)).startsWith("..")
          ) {
            problems.push(`${where}, outside its package`);
          }
        }
      }
      expect(problems).toEqual([]);
    },
  );

  it("let only training reach TensorFlow", () => {
    const problems: string[] = [];
    for (const { folder } of packages) {
      if (folder === join("packages", "tensor")) continue;
      for (const path of sources(join(root, folder))) {
        const file = relative(root, path);
        const reaches = importsOf(path).filter(
          (name) =>
            ["@duchenne/tensor", "@duchenne/model/training", "@duchenne/training"].includes(name) ||
            name.startsWith("@tensorflow/"),
        );
        if (reaches.length > 0 && !mayReachTensorFlow.some((allowed) => allowed.test(file))) {
          problems.push(`${file}: ${reaches.join(", ")}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });
});

describe("the sources", () => {
  it("draw no unseeded random numbers", () => {
    const offenders = folders
      .flatMap((folder) => [...sources(join(root, folder))])
      .filter((path) => readFileSync(path, "utf8").includes(["Math", "random("].join(".")))
      .map((path) => relative(root, path));
    expect(offenders).toEqual([]);
  });
});
