import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { exportVideoAnalysis } from "@duchenne/client";
import { TableColumns, TableFormat } from "@duchenne/proto";
import { Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

const FORMATS: Readonly<Record<string, TableFormat>> = {
  csv: TableFormat.CSV,
  jsonl: TableFormat.JSONL,
  parquet: TableFormat.PARQUET,
};

const COLUMNS = {
  duchenne: TableColumns.DUCHENNE,
  openface: TableColumns.OPENFACE,
  pyfeat: TableColumns.PYFEAT,
} as const;

interface AnalyzeCommandOptions {
  readonly output: string;
  readonly format: readonly TableFormat[];
  readonly columns: keyof typeof COLUMNS;
  readonly model: string;
  readonly maxFaces: number;
  readonly detectEvery: number;
}

const resultSchema = z.object({
  frames: z.number(),
  framesWithFaces: z.number(),
  faces: z.number(),
  decodeErrors: z.number(),
  firstDecodeErrors: z.array(z.string()),
});

/** `duchenne analyze`: scores every frame of a video file and writes tables of its faces. */
export function analyzeCommand(): Command {
  const command = new Command("analyze");
  return addJobOptions(command)
    .description("score every frame of a video file of the server, and write tables of its faces")
    .argument("<video>", "below a folder that the server reads videos from: import in its data, or --video-roots")
    .requiredOption("--output <folder>", "where the tables go; made when it is not there")
    .addOption(
      new Option("--format <names>", "csv, jsonl, parquet; several with commas between them")
        .argParser(formats)
        .default([TableFormat.CSV], "csv"),
    )
    .addOption(
      new Option("--columns <names>", "whose names the columns have").choices(Object.keys(COLUMNS)).default("duchenne"),
    )
    .option("--model <name>", "a version or alias, such as models/demo@live; default: the server's", "")
    .option("--max-faces <n>", "at most so many faces a frame; default: the server's", Number, 0)
    .option("--detect-every <n>", "search the whole frame every so many; default: the server's", Number, 0)
    .addOption(serverOption())
    .action((video: string, { output, format, columns, model, maxFaces, detectEvery }: AnalyzeCommandOptions) =>
      withClient(command, async (client) => {
        const { name } = await client.detector.createVideoAnalysis({
          requestId: randomUUID(),
          // What is no file here may still be one of the server's.
          video: existsSync(video) ? resolve(video) : video,
          model,
          columns: COLUMNS[columns],
          formats: [...format],
          maxFaces,
          tracking: { detectEvery },
          jobOptions: jobOptionsFrom(command),
        });
        const job = await followJob(client, name, "analysis");
        const result = resultSchema.parse(job.result);
        for (const each of format) {
          process.stdout.write(`${await exportVideoAnalysis(client, { name, format: each }, output)}\n`);
        }
        const { frames, framesWithFaces, faces, decodeErrors, firstDecodeErrors } = result;
        process.stderr.write(`${frames} frames, ${framesWithFaces} with a face, ${faces} faces told apart\n`);
        if (decodeErrors > 0) {
          process.stderr.write(`ffmpeg met ${decodeErrors} errors, such as: ${firstDecodeErrors.join("; ")}\n`);
        }
      }),
    );
}

function formats(text: string): TableFormat[] {
  const names = [...new Set(text.split(","))];
  const unknown = names.find((name) => FORMATS[name] === undefined);
  if (unknown !== undefined) throw new InvalidArgumentError(`Expected csv, jsonl or parquet, got "${unknown}"`);
  return names.map((name) => FORMATS[name]!);
}
