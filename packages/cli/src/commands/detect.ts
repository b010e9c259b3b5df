import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { type FrameInput, streamFrames } from "@duchenne/client";
import { type FrameResult, FrameResultSchema, Side, type StreamConfigured } from "@duchenne/proto";
import { annotateImage } from "@duchenne/vision";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { faceTable } from "../terminal/face-table.ts";
import { styleFor } from "../terminal/style.ts";

interface DetectOptions {
  readonly model: string;
  readonly maxFaces: number;
  readonly json: boolean;
  readonly annotate?: string;
}

/** `duchenne detect`: streams image files and shows their action units. */
export function detectCommand(): Command {
  return new Command("detect")
    .description("find the faces of image files and read their action units")
    .argument("<images...>", "JPEG, PNG or WebP files")
    .option("--model <name>", "a version or alias, such as models/demo@live; default: the server's", "")
    .option("--max-faces <n>", "answer at most so many faces an image", Number, 8)
    .option("--json", "one JSON object a line", false)
    .option("--annotate <folder>", "write pictures with the scores into this folder")
    .addOption(serverOption())
    .action(async (images: string[], options: DetectOptions, command: Command) => {
      const failed = await withClient(command, async (client) => {
        let configured: StreamConfigured | undefined;
        let failures = 0;
        const configuration = {
          model: options.model,
          maxFaces: options.maxFaces,
          outputs: { landmarks: options.annotate !== undefined },
          // Files are photographs: a face is not where the one before had it.
          tracking: { detectEvery: 1 },
        };
        for await (const answer of streamFrames(client, readImages(images), configuration)) {
          if (answer.case === "configured") configured = answer.value;
          else if (answer.case === "dropped") {
            failures++;
            process.stderr.write(`${images[Number(answer.value.sequence) - 1]}: ${answer.value.detail}\n`);
          } else if (answer.case === "result") {
            const path = images[Number(answer.value.sequence) - 1]!;
            showResult(path, answer.value, options);
            if (options.annotate !== undefined) {
              await annotate(path, answer.value, configured?.model?.kind ?? "", options.annotate);
            }
          }
        }
        return failures;
      });
      if (failed > 0) process.exitCode = 1;
    });
}

async function* readImages(paths: readonly string[]): AsyncGenerator<FrameInput> {
  for (const path of paths) yield { image: await readFile(path) };
}

function showResult(path: string, result: FrameResult, { json }: DetectOptions): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ file: path, ...(toJson(FrameResultSchema, result) as object) })}\n`);
    return;
  }
  const style = styleFor(process.stdout);
  process.stdout.write(
    `${style.bold(path)}  ${style.dim(`${result.faces.length || "no"} face(s), ${result.model}`)}\n`,
  );
  for (const face of result.faces) process.stdout.write(`${faceTable(face, style).join("\n")}\n\n`);
}

async function annotate(path: string, { faces }: FrameResult, kind: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const drawn = faces.flatMap(({ box, scores, landmarks }) =>
    box === undefined
      ? []
      : {
          box,
          scores: scores.filter(({ side }) => side === Side.UNSPECIFIED),
          landmarks: landmarks.flatMap(({ x, y, z }) => [x, y, z]),
        },
  );
  const title = kind === "vit" ? "probabilities, no intensities" : "blendshape-au: activations, not probabilities";
  const file = join(folder, `${basename(path, extname(path))}.png`);
  await writeFile(file, await annotateImage(await readFile(path), drawn, { title }));
}
