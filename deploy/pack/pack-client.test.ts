import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { packClient } from "./pack-client.ts";

const run = promisify(execFile);

it("the client's tarballs install in an empty folder and load as plain JavaScript", async () => {
  const folder = await mkdtemp(join(tmpdir(), "duchenne-packed-"));
  try {
    const tarballs = await packClient(folder);
    const app = join(folder, "app");
    await mkdir(app);
    await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
    const install = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts", ...tarballs];
    await run("npm", install, { cwd: app });
    await writeFile(
      join(app, "main.js"),
      `import { createDuchenneClient, streamFrames } from "@duchenne/client";
       import { streamSession } from "@duchenne/client/browser";
       const client = createDuchenneClient({ address: "127.0.0.1:1" });
       const failed = await client.detector.detectFaces({ image: new Uint8Array([1]) }).catch((error) => error.name);
       console.log(typeof streamFrames, typeof streamSession, failed);
       client.close();`,
    );
    const { stdout } = await run(process.execPath, ["main.js"], { cwd: app });
    expect(stdout).toBe("function function ConnectError\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
