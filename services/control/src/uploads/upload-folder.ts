import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DATASET_FORMATS } from "@duchenne/data";
import { writeDurably } from "@duchenne/store";
import { z } from "zod";

const uploadPlanSchema = z.strictObject({
  sizeBytes: z.int(),
  sha256: z.string(),
  description: z.string(),
  /** Uploads of earlier releases did not say. */
  license: z.string().default(""),
  format: z.enum(DATASET_FORMATS),
  /** The data set's folder within the archive, with "/"; "" for all of it. */
  directory: z.string(),
  /** Label files within the archive, by their way from its root. */
  labelFiles: z.array(z.string()).readonly(),
});
/** What an upload becomes, as it was asked for. */
export type UploadPlan = z.output<typeof uploadPlanSchema>;

/** An upload on the disk. */
export interface UploadState {
  readonly plan: UploadPlan;
  /** Bytes of the archive that are there. */
  readonly committedBytes: number;
  /** When the last of them arrived, in milliseconds since the epoch. */
  readonly timeMs: number;
}

/** An upload's files: the plan and as much of the archive as arrived. How far it got is the archive's size, and nothing else. */
export interface UploadFolder {
  readonly archive: string;
  /** A place of its own on the same disk, which goes with the upload. */
  readonly scratch: string;
  /** undefined when there is no such upload, or only what a killed server left before one began. */
  read(): Promise<UploadState | undefined>;
  begin(plan: UploadPlan): Promise<void>;
  /** Writes at the end; when it resolves the bytes survive a power cut. */
  append(chunk: Uint8Array, offset: number): Promise<void>;
  /** Makes it as young as if bytes had arrived. */
  renew(): Promise<void>;
  remove(): Promise<void>;
}

/** The upload of an id; it need not exist. */
export function uploadFolder(directory: string, id: string): UploadFolder {
  const folder = join(directory, id);
  const plan = join(folder, "plan.json");
  const archive = join(folder, "archive");
  return {
    archive,
    scratch: join(folder, "unpacked"),
    async read() {
      const [text, stats] = await Promise.all([readFile(plan, "utf8"), stat(archive)]).catch(noneWhenMissing);
      if (text === undefined || stats === undefined) return undefined;
      return {
        plan: uploadPlanSchema.parse(JSON.parse(text)),
        committedBytes: stats.size,
        timeMs: stats.mtimeMs,
      };
    },
    async begin(begun) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await writeFile(archive, "");
      // The plan is written last: with it the upload exists.
      await writeDurably(plan, Buffer.from(JSON.stringify(begun)));
      await syncFolder(directory);
    },
    async append(chunk, offset) {
      const file = await open(archive, "r+");
      try {
        for (let done = 0; done < chunk.length; ) {
          done += (await file.write(chunk, done, chunk.length - done, offset + done)).bytesWritten;
        }
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async renew() {
      const now = new Date();
      await utimes(archive, now, now);
    },
    remove: async () => {
      // Without its plan it is no upload any more, also when the server is killed before all of it is gone.
      await rm(plan, { force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The names in a folder are not lost in a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The ids of all uploads, and of what is left of some. */
export async function uploadIds(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(noneWhenMissing)) as readonly string[];
}

function noneWhenMissing(error: NodeJS.ErrnoException): [] {
  if (error.code !== "ENOENT") throw error;
  return [];
}
