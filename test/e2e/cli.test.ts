import { copyFile, cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bfloat16Refusal } from "@duchenne/tensor/provision";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

const faces = join(dirname(createRequire(import.meta.url).resolve("material-kit/package.json")), "assets/img/faces");
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", join(folder.path, "data"));
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const duchenne = (...args: string[]) => duchenneCommand(server, ...args);

it("detect shows action units, draws pictures, and goes on after a bad file", async () => {
  const bad = join(folder.path, "bad.jpg");
  await writeFile(bad, "bad");
  const pictures = join(folder.path, "pictures");
  const run = await duchenne("detect", bad, join(faces, "christian.jpg"), "--annotate", pictures);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain("bad.jpg: Expected a JPEG, PNG or WebP image");
  expect(run.stdout).toMatch(/christian\.jpg {2}1 face\(s\), models\/blendshape-au\/versions\/1/);
  expect(run.stdout).toMatch(/AU12 Lip corner puller {5}█{10}┃███░{6} 0\.7\d/);
  expect((await sharp(await readFile(join(pictures, "christian.png"))).metadata()).format).toBe("png");
});

it("detect --json writes one object a line", async () => {
  const { stdout, code } = await duchenne("detect", "--json", join(faces, "marc.jpg"), join(faces, "camp.jpg"));
  expect(code).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ faces: found }) => found.length)).toEqual([1, 1]);
});

it("synthesizes, trains, evaluates, promotes and lists", async () => {
  const drawing = ["datasets", "synthesize", "tiny", "--subjects", "4", "--frames", "24", "--size", "64"];
  const waiting = await duchenne(...drawing, "--after", "jobs/none");
  expect(waiting).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no job "none"') });
  const drawn = await duchenne(...drawing, "--priority", "3", "--time-limit", "10m");
  expect(drawn.stdout).toBe("datasets/tiny\n");
  expect(drawn.stderr).toContain("100 %");
  const recipe = [
    "--dataset",
    "datasets/tiny",
    "--model",
    "models/tiny",
    "--variant",
    "micro",
    "--augmentation",
    "flip",
    "--epochs",
    "2",
    "--batch-size",
    "10",
  ];
  const impossible = await duchenne("train", ...recipe, "--warmup-epochs", "5");
  expect(impossible).toMatchObject({ code: 1, stdout: "" });
  expect(impossible.stderr).toContain(
    "fine_tune.optimization.warmup_epochs: Expected fewer warm-up epochs than epochs",
  );
  const dry = await duchenne("train", ...recipe, "--warmup-epochs", "1", "--dry-run");
  expect(JSON.parse(dry.stdout)).toMatchObject({ recipe: { optimization: { epochs: 2, layerDecay: 0.65 } } });
  const half = await duchenne("train", ...recipe, "--warmup-epochs", "1", "--dry-run", "--precision", "bfloat16");
  const refusal = bfloat16Refusal();
  expect(refusal === undefined ? half.stdout : half.stderr).toContain(refusal ?? '"precision": "bfloat16"');
  const after = await duchenne("train", ...recipe, "--warmup-epochs", "1", "--dry-run", "--after", "jobs/none");
  expect(after).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no job "none"') });
  const trained = await duchenne("train", ...recipe, "--warmup-epochs", "1");
  expect(trained.stdout).toBe("models/tiny/versions/1\n");
  const [page, junit] = [join(folder.path, "report.html"), join(folder.path, "report.xml")];
  const files = ["--html", page, "--junit", junit];
  const evaluation = ["--model", "models/tiny/versions/1", "--dataset", "datasets/tiny"];
  const evaluated = await duchenne("evaluate", ...evaluation, ...files);
  expect(evaluated.stdout).toContain("# models/tiny/versions/1 on datasets/tiny (held-out subjects)");
  expect(await readFile(page, "utf8")).toMatch(/^<!doctype html>.*<svg.*<td>AU12 Lip corner puller<\/td>/s);
  expect(await readFile(junit, "utf8")).toContain('<testcase name="AU12"');
  const builtIn = ["--model", "models/blendshape-au/versions/1", "--dataset", "datasets/tiny", "--json"];
  expect(JSON.parse((await duchenne("evaluate", ...builtIn)).stdout)).toMatchObject({ split: "all", frames: 96 });
  const promoted = await duchenne("models", "promote", "models/tiny/versions/1");
  expect(promoted.stdout).toBe("models/default@live -> models/tiny/versions/1\n");
  expect((await duchenne("models", "list")).stdout).toContain(
    "models/default  no versions  live -> models/tiny/versions/1",
  );
  expect((await duchenne("models", "history")).stdout).toMatch(
    /^[-0-9]{10}T[:0-9]{8}Z {2}models\/tiny\/versions\/1\n$/,
  );
  expect((await duchenne("models", "versions", "models/tiny")).stdout).toMatch(
    /^[-0-9]{10}T[:0-9]{8}Z {2}models\/tiny\/versions\/1 {2}vit {2}sha256:[0-9a-f]{64}\n$/,
  );
  const [first] = (await duchenne("jobs", "list")).stdout.split("\n");
  expect(first).toMatch(/^jobs\/\S+ {2}SUCCEEDED {2}100 % {2}Evaluation of models\/blendshape-au/);
  const trainings = (await duchenne("jobs", "list", "--kind", "fine_tune", "--state", "succeeded")).stdout;
  expect(trainings).toMatch(/^jobs\/\S+ {2}SUCCEEDED {2}100 % {2}Fine-tune of micro[^\n]*\n$/);
  expect(await duchenne("jobs", "list", "--kind", "fine_tune", "--state", "failed")).toMatchObject({ stdout: "" });
  expect((await duchenne("jobs", "list", "--limit", "0")).stderr).toContain("from 1 to 1000");

  const line =
    /^[-0-9]{10}T[:0-9]{5} {2}(evaluations\/\S+) {2}models\/tiny\/versions\/1 on datasets\/tiny \(held out, \d+ frames\) {2}AUC .* {2}F1 .*\n$/;
  const [listed, name = ""] = line.exec((await duchenne("evaluations", "list", "--model", "models/tiny")).stdout) ?? [];
  expect(listed).toBeDefined();
  expect((await duchenne("evaluations", "list", "--dataset", "datasets/tiny")).stdout.split("\n").length).toBe(3);
  expect((await duchenne("evaluations", "show", name)).stdout).toBe(evaluated.stdout);
  expect((await duchenne("evaluations", "delete", name)).stdout).toBe(`deleted ${name}\n`);
  expect((await duchenne("evaluations", "show", name)).stderr).toContain(`There is no evaluation "${name}"`);

  const watched = await duchenne("jobs", "watch", first!.split(" ")[0]!);
  expect(JSON.parse(watched.stdout)).toHaveProperty("evaluation");
  const retried = await duchenne("jobs", "retry", first!.split(" ")[0]!);
  expect(retried).toMatchObject({ code: 1, stderr: expect.stringContaining("Expected a job that has failed") });
}, 300_000);

it("promotes to any alias, deletes it, and shows both in its history", async () => {
  const [version, alias] = ["models/blendshape-au/versions/1", "models/spare@canary"];
  const promoted = await duchenne("models", "promote", version, "--alias", alias);
  expect(promoted).toMatchObject({ code: 0, stdout: `${alias} -> ${version}\n` });
  expect((await duchenne("models", "list")).stdout).toContain(`models/spare  no versions  canary -> ${version}\n`);
  const deleted = await duchenne("models", "delete-alias", alias);
  expect(deleted).toMatchObject({ code: 0, stdout: `deleted ${alias}\n` });
  expect((await duchenne("models", "list")).stdout).toContain("models/spare  no versions\n");
  expect((await duchenne("models", "history", alias)).stdout).toMatch(
    /^[-0-9]{10}T[:0-9]{8}Z {2}deleted\n[-0-9]{10}T[:0-9]{8}Z {2}models\/blendshape-au\/versions\/1\n$/,
  );
  expect(await duchenne("models", "delete-alias", alias)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`There is no alias "${alias}" (ALIAS_NOT_FOUND)`),
  });
});

it("converts, registers and shows published data sets", async () => {
  const disfa = join(folder.path, "data", "import", "disfa");
  const labels = join(folder.path, "ActionUnit_Labels");
  const gray = await sharp({ create: { width: 16, height: 16, channels: 3, background: "gray" } })
    .jpeg()
    .toBuffer();
  for (const subject of ["SN001", "SN003"]) {
    await mkdir(join(labels, subject), { recursive: true });
    for (const unit of [1, 2, 4, 6, 9, 12, 25, 26]) {
      await writeFile(join(labels, subject, `${subject}_au${unit}.txt`), `1,${unit === 12 ? 3 : 1}\n2,0\n`);
    }
    await mkdir(join(disfa, `RightVideo${subject}`), { recursive: true });
    await writeFile(join(disfa, `RightVideo${subject}`, "frame_1.jpg"), gray);
  }
  const converted = await duchenne("datasets", "convert", "disfa", labels, disfa);
  expect(converted.stdout).toBe(`${disfa}: 2 subjects, 2 frames; 2 labelled frames without an image left out\n`);
  expect((await duchenne("datasets", "convert", "disfa", labels, disfa)).stderr).toContain(
    "dataset.json: Expected none",
  );
  expect((await duchenne("datasets", "register", "disfa", "disfa")).stdout).toBe(
    "datasets/disfa: 2 subjects, 2 frames\n",
  );
  const shown = (await duchenne("datasets", "show", "datasets/disfa")).stdout;
  expect(shown).toContain("datasets/disfa  disfa  2 of 27 subjects, 2 frames");
  expect(shown).toMatch(/AU12 Lip corner puller +100\.0 %\n/);
  expect(shown).toContain("fold 2: 0 frames, 9 subjects: SN006");
  expect(shown).toContain("\nlicence: unknown\n");

  const line = { img_path: "RightVideoSN001/frame_1.jpg", AUs: [12, 999] };
  await writeFile(join(disfa, "labels.json"), JSON.stringify(line));
  const published = [
    "disfa-lines",
    "disfa",
    "--protocol",
    "disfa",
    "--labels",
    "labels.json",
    "--license",
    "as agreed",
  ];
  expect((await duchenne("datasets", "register", ...published)).stdout).toContain("1 subjects, 1 frames");
  expect((await duchenne("datasets", "show", "datasets/disfa-lines")).stdout).toContain("\nlicence: as agreed\n");
  const gone = Array.from({ length: 120 }, (_, i) =>
    JSON.stringify({ ...line, img_path: `RightVideoSN001/gone_${i}.jpg` }),
  );
  await writeFile(join(disfa, "gone.json"), gone.join("\n"));
  const list = join(folder.path, "problems.txt");
  const refused = ["gone", "disfa", "--protocol", "disfa", "--labels", "gone.json", "--problems", list];
  expect(await duchenne("datasets", "register", ...refused)).toMatchObject({
    code: 1,
    stdout: `120 problems: ${list}\n`,
  });
  expect((await readFile(list, "utf8")).split("\n")[119]).toBe(
    'gone.json:120:img_path: No file "RightVideoSN001/gone_119.jpg"',
  );
  const images = await duchenne("datasets", "register", "images", "disfa", "--protocol", "images");
  expect(images.stdout).toBe("datasets/images: 0 subjects, 2 frames\n");
  expect((await duchenne("datasets", "show", "datasets/images")).stdout).toContain("images  0 subjects, 2 frames");
});

it("synthesizes a published data set, whose readers then take it", async () => {
  const small = ["--protocol", "disfa", "--frames", "4", "--size", "32"];
  const few = await duchenne("datasets", "synthesize", "drawn-disfa", "--subjects", "2", ...small);
  expect(few).toMatchObject({ code: 1, stdout: "" });
  expect(few.stderr).toContain("subjects: Expected 3 to 27 subjects for disfa, or 0 for all, got 2");
  await duchenne("datasets", "synthesize", "drawn-disfa", "--subjects", "3", ...small);
  const shown = (await duchenne("datasets", "show", "datasets/drawn-disfa")).stdout;
  const said = (text: string) => text.split("\n").filter((line) => /^ {2}(AU\d+|fold)/.test(line));
  expect(shown).toContain("datasets/drawn-disfa  disfa  3 of 27 subjects, 12 frames");
  expect(shown).toContain("\nlicence: Apache-2.0\n");
  expect(said(shown)).toHaveLength(8 + 3);

  const drawn = join(folder.path, "data", "import", "drawn");
  await cp(shown.split("\n")[2]!.split("  ")[0]!, drawn, { recursive: true });
  const files = [1, 2, 3].flatMap((fold) => ["--labels", `../labels/fold_${fold}.json`]);
  await duchenne("datasets", "register", "read-disfa", "drawn/images", "--protocol", "disfa", ...files);
  const read = (await duchenne("datasets", "show", "datasets/read-disfa")).stdout;
  expect(read).toContain("datasets/read-disfa  disfa  3 of 27 subjects, 12 frames");
  expect(said(read)).toEqual(said(shown));
  const images = join(drawn, "images");
  const converted = await duchenne("datasets", "convert", "disfa", join(drawn, "ActionUnit_Labels"), images);
  expect(converted.stdout).toBe(`${images}: 3 subjects, 12 frames\n`);
}, 300_000);

it("doctor looks at the machine and the server", async () => {
  const { stdout } = await duchenne("doctor");
  expect(stdout).toMatch(/✓ Face models/);
  expect(stdout).toMatch(/✓ Server .*model\(s\)/);
  const away = await duchenne("doctor", "--server", "127.0.0.1:1");
  expect(away.code).toBe(1);
  expect(away.stdout).toContain('→ Start one with "duchenne serve"');
});

it("imports a checkpoint, tells what became of it, and exports it", async () => {
  const checkpoint = fileURLToPath(new URL("../reference/fixtures/weights/classifier.pth", import.meta.url));
  const importIt = ["models", "import", checkpoint, "--model", "models/raf", "--heads", "3"];
  const wrong = await duchenne(...importIt, "--protocol", "disfa");
  expect(wrong).toMatchObject({ code: 1, stdout: "" });
  expect(wrong.stderr).toContain("options.protocol: Expected one for each of the head's 7 outputs, got 8");
  const imported = await duchenne(...importIt, "--expressions", "a,b,c,d,e,f,g");
  expect(imported).toMatchObject({ code: 0, stdout: "models/raf/versions/1\n" });
  expect(imported.stderr).toContain("ignored     head.weight: the classifier is AU_head; this one was never used");
  const output = join(folder.path, "exported");
  const card = await duchenne("models", "export", "models/raf/versions/1", "--output", output, "--format", "card");
  expect(card.stdout).toBe(`${join(output, "raf-1.card.json")}\n`);
  expect(JSON.parse(await readFile(card.stdout.trim(), "utf8"))).toMatchObject({
    config: { kind: "vit-expression", expressions: ["a", "b", "c", "d", "e", "f", "g"] },
  });
});

it("synthesizes from portraits on this machine, registers the result, and tells portraits that cannot be used", async () => {
  const portraits = join(folder.path, "portraits");
  await mkdir(portraits);
  await copyFile(join(faces, "marc.jpg"), join(portraits, "marc.jpg"));
  const set = join(folder.path, "data", "import", "moved");
  const made = await duchenne("datasets", "synthesize", set, "--photo", portraits, "--frames", "2", "--size", "48");
  expect(made.stdout).toBe(`${set}: 1 subjects, 2 frames\nRegister it with: duchenne datasets register moved ${set}\n`);
  expect((await duchenne("datasets", "register", "moved", set)).stdout).toBe("datasets/moved: 1 subjects, 2 frames\n");

  await copyFile(join(faces, "christian.jpg"), join(portraits, "christian.jpg"));
  const nothing = join(folder.path, "nothing");
  const refused = await duchenne("datasets", "synthesize", nothing, "--photo", portraits);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /christian\.jpg: Expected a closed mouth, got lips 0\.\d{3} of the mouth's width apart/,
  );
  await expect(stat(nothing)).rejects.toThrow("ENOENT");
});
