import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheDirectory, makeOnce } from "@duchenne/provision";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";

const run = promisify(execFile);
const PACKAGES = ["grpcio==1.76.0", "grpcio-tools==1.76.0", "protobuf==6.33.1"];

let folder: string;
let python: NodeJS.ProcessEnv;
let data: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;

beforeAll(async () => {
  // Beside the system's Python, never into it; fetched once, into the cache.
  const site = join(cacheDirectory(), "test-python", PACKAGES.join("-").replaceAll("=", "_"));
  await makeOnce(site, async ({ ready }) => {
    await run("python3", ["-m", "pip", "install", "--quiet", "--target", ready, ...PACKAGES]);
  });
  folder = await mkdtemp(join(tmpdir(), "duchenne-interop-"));
  python = { ...process.env, PYTHONPATH: `${site}:${folder}` };
  const protos = fileURLToPath(new URL("../../proto", import.meta.url));
  const sources = [
    ...readdirSync(join(protos, "duchenne/v1")).map((name) => `duchenne/v1/${name}`),
    "buf/validate/validate.proto",
  ];
  const includes = [`-I${protos}`, `-I${join(protos, "third_party")}`];
  const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
  await run("python3", ["-m", "grpc_tools.protoc", ...includes, ...outputs, ...sources], { env: python });
  data = await temporaryFolder();
  server = await startServer("detector", data.path);
});
afterAll(async () => {
  await server?.end();
  await data?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

it("a Python client with stubs made from the protos streams real frames", async () => {
  const require = createRequire(import.meta.url);
  const faces = join(dirname(require.resolve("material-kit/package.json")), "assets/img/faces");
  const broken = join(folder, "broken.jpg");
  await writeFile(broken, "broken");
  const images = [join(faces, "christian.jpg"), broken, join(faces, "marc.jpg")];
  const script = fileURLToPath(new URL("./stream_frames.py", import.meta.url));
  const { stdout } = await run("python3", [script, `127.0.0.1:${server.grpcPort}`, ...images], { env: python });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ kind }) => kind)).toEqual(["configured", "result", "dropped", "result", "summary", "error"]);
  expect(lines[0].model).toBe("models/blendshape-au/versions/1");
  expect(lines[1].faces[0]["12"].present).toBe(true);
  expect(lines[1].seconds).toBeGreaterThan(0);
  expect(lines[2]).toMatchObject({ sequence: 2, detail: expect.stringContaining("Expected a JPEG, PNG or WebP") });
  expect(lines[3].faces[0]["12"].present).toBe(false);
  expect(lines[4].answered).toBe(2);
  expect(lines[5]).toMatchObject({ code: "INVALID_ARGUMENT" });
});
