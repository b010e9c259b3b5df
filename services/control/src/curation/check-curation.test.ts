import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CurateDatasetRequestSchema } from "@duchenne/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkCuration } from "./check-curation.ts";

let folder: string;
const { PATH } = process.env;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-check-curation-"));
  await mkdir(join(folder, "import", "pictures"), { recursive: true });
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(folder, { recursive: true });
});

const check = (request: MessageInitShape<typeof CurateDatasetRequestSchema>, runsHere = true) =>
  checkCuration(create(CurateDatasetRequestSchema, { datasetId: "faces", ...request }), {
    roots: [join(folder, "import"), join(folder, "more")],
    runsHere,
  });

describe("a curation", () => {
  it("has the defaults of the recipe where nothing is asked for, and what is asked for elsewhere", async () => {
    const spec = await check({ directory: "pictures" });
    expect(spec).toEqual({
      dataset: "datasets/faces",
      directory: join(folder, "import", "pictures"),
      description: "",
      license: "",
      curation: { minSide: 224, maxAspectRatio: 1.5, size: 224, videoFramesPerSecond: 1, excludeDuplicates: true },
    });
    const asked = { minSide: 64, maxAspectRatio: 2, size: 112, videoFramesPerSecond: 0.5, excludeDuplicates: false };
    expect(await check({ directory: "pictures", description: "ours", license: "CC0-1.0", ...asked })).toMatchObject({
      description: "ours",
      license: "CC0-1.0",
      curation: asked,
    });
  });

  it.each(["/etc", "..", "../more-than-that", "."])("of %s is refused", async (directory) => {
    await expect(check({ directory })).rejects.toMatchObject({ reason: "DIRECTORY_NOT_ALLOWED" });
  });

  it("of no folder is refused", async () => {
    await writeFile(join(folder, "import", "file"), "");
    for (const directory of ["absent", "file"]) {
      await expect(check({ directory })).rejects.toMatchObject({
        code: "invalid_argument",
        reason: "DIRECTORY_NOT_FOUND",
        violations: [{ field: "directory" }],
      });
    }
  });

  it("of videos is refused where ffmpeg is missing, and names one; of pictures it is not", async () => {
    const programs = join(folder, "programs");
    await mkdir(programs);
    process.env.PATH = programs;
    await writeFile(join(folder, "import", "pictures", "a.jpg"), "");
    await check({ directory: "pictures" });
    await mkdir(join(folder, "import", "pictures", "deep"));
    await writeFile(join(folder, "import", "pictures", "deep", "clip.mov"), "");
    await expect(check({ directory: "pictures" })).rejects.toMatchObject({
      code: "failed_precondition",
      reason: "FFMPEG_MISSING",
      message: expect.stringContaining("to read videos such as deep/clip.mov with"),
    });
    // Another machine may have it.
    await check({ directory: "pictures" }, false);
    await symlink("/bin/true", join(programs, "ffmpeg"));
    await check({ directory: "pictures" });
  });
});
