import { writeSequence } from "@duchenne/data";
import { Command } from "commander";

interface SequenceCommandOptions {
  readonly seed: number;
  readonly subject: number;
  readonly take: number;
  readonly seconds: number;
  readonly rate: number;
  readonly size: number;
  readonly speech: boolean;
  readonly crop: boolean;
  readonly video: boolean;
  readonly landmarks: boolean;
}

/** `duchenne datasets sequence`: a SynthFACS person in motion, as frames or as a video file. */
export function sequenceCommand(): Command {
  return new Command("sequence")
    .description("render a synthetic face in motion, with labels, on this machine")
    .argument("<folder>", "is made: numbered PNG files or sequence.webm, and labels.jsonl")
    .option("--seed <n>", "seed", Number, 1)
    .option("--subject <n>", "which person of the seed, from 1", Number, 1)
    .option("--take <n>", "which sequence of this person, from 1", Number, 1)
    .option("--seconds <s>", "length", Number, 10)
    .option("--rate <hz>", "frames a second", Number, 25)
    .option("--size <pixels>", "side of the pictures", Number, 256)
    .option("--speech", "the person speaks", false)
    .option("--crop", "the models' crop instead of head and shoulders", false)
    .option("--video", "one WebM file (VP8) instead of numbered frames", false)
    .option("--landmarks", "the labels have the 478 landmarks", false)
    .action(async (folder: string, options: SequenceCommandOptions) => {
      const { seed, subject, take, seconds, rate, size, speech, crop, video, landmarks } = options;
      const frames = Math.round(seconds * rate);
      const sequence = {
        seed,
        subject: subject - 1,
        index: take - 1,
        frames,
        frameRateHz: rate,
        speech,
        size,
        framing: crop ? "crop" : "portrait",
        pictures: video ? "video" : "frames",
        landmarks,
      } as const;
      const moves = process.stderr.isTTY === true;
      await writeSequence(folder, sequence, {
        onProgress: (done) => moves && process.stderr.write(`\r\x1b[2K${done === frames ? "" : `${done}/${frames}`}`),
      });
      process.stdout.write(`${folder}: ${frames} frames, ${video ? "sequence.webm, " : ""}labels.jsonl\n`);
    });
}
