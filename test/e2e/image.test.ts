import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createDuchenneClient } from "@duchenne/client";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { photographOfSmile } from "./photograph.ts";
import { temporaryFolder } from "./server-process.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const { PATH, HOME, DUCHENNE_CACHE, XDG_CACHE_HOME } = process.env;

it("the image's install and start commands work in an empty folder", async () => {
  await using folder = await temporaryFolder();
  const app = join(folder.path, "app");
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const file of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(app, file)), { recursive: true });
    await cp(join(root, file), join(app, file));
  }
  const lines = (await readFile(join(root, "deploy/Dockerfile"), "utf8")).split("\n");
  const environment = Object.fromEntries(
    lines
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => [...line.slice(4).matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value])),
  );
  // The cache outside: the image's own would be fetched again.
  const env = { ...environment, PATH, HOME, DUCHENNE_CACHE, XDG_CACHE_HOME };
  const installs = lines.filter((line) => /^RUN (pnpm|node) /.test(line)).map((line) => line.slice(4));
  expect(installs.length).toBe(2);
  for (const command of installs) await run("sh", ["-c", command], { cwd: app, env, maxBuffer: 2 ** 26 });

  const start = JSON.parse(lines.find((line) => line.startsWith("CMD "))!.slice(4)) as string[];
  const data = join(folder.path, "data");
  const ports = ["--grpc-port", "0", "--connect-port", "0", "--host", "127.0.0.1", "--json", "true", "--data", data];
  const child = spawn(start[0]!, [...start.slice(1), ...ports], {
    cwd: app,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const client = createDuchenneClient({ address: `127.0.0.1:${JSON.parse(line).grpcPort}` });
      const { faces } = await client.detector.detectFaces({ image: await photographOfSmile() });
      expect(faces.length).toBe(1);
      client.close();
      break;
    }
  } finally {
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  }
});

it("the compose file starts what the Dockerfile builds", async () => {
  const compose = parse(await readFile(join(root, "deploy/compose.yaml"), "utf8"));
  const { build, ports, volumes } = compose.services.duchenne;
  expect(build).toEqual({ context: "..", dockerfile: "deploy/Dockerfile" });
  const dockerfile = await readFile(join(root, "deploy/Dockerfile"), "utf8");
  const exposed = /EXPOSE (.*)/.exec(dockerfile)![1]!.split(" ");
  expect(ports.map((port: string) => port.split(":").at(-1))).toEqual(exposed);
  expect(volumes[0]).toBe("data:/data");
});
