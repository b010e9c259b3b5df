import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openDataset } from "@duchenne/data";
import type { DatasetRecord, JobEvent, JobRecord, ModelArtifact, ModelVersionRecord, Store } from "@duchenne/store";

/** A job as the store has it in the end. */
export interface JobHistory {
  readonly job: JobRecord;
  readonly events: readonly JobEvent[];
}

/** A version as the store has it in the end. */
export interface VersionHistory {
  /** "models/{model}/versions/{version}". */
  readonly name: string;
  readonly job: string | undefined;
  readonly artifacts: readonly ModelArtifact[];
  /** What is wrong with its files; none should be. */
  readonly problems: readonly string[];
}

/** All that the store has in the end. */
export interface StoreHistory {
  readonly jobs: readonly JobHistory[];
  readonly versions: readonly VersionHistory[];
  /** By "datasets/{dataset}", the digests. */
  readonly datasets: ReadonlyMap<string, string>;
}

const PAGE = 200;
/** The model that ships with the product has no files. */
const BUILT_IN = "blendshape-au";

/** All jobs, newest first by the database's clock, which may have jumped. */
export async function allJobs(store: Store): Promise<readonly JobRecord[]> {
  const jobs: JobRecord[] = [];
  for await (const job of pages((pageToken) => store.jobs.list({ pageSize: PAGE, pageToken }), "jobs")) jobs.push(job);
  return jobs;
}

/** Reads all jobs, versions with their files, and data sets. */
export async function readHistory(store: Store): Promise<StoreHistory> {
  const jobs: JobHistory[] = [];
  for (const job of await allJobs(store)) jobs.push({ job, events: await allEvents(store, job.id) });
  const versions: VersionHistory[] = [];
  for await (const { id } of pages((pageToken) => store.models.list({ pageSize: PAGE, pageToken }), "models")) {
    if (id === BUILT_IN) continue;
    const list = (pageToken: string) => store.models.listVersions(id, { pageSize: PAGE, pageToken });
    for await (const version of pages(list, "versions")) versions.push(await readVersion(store, version));
  }
  const datasets = new Map<string, string>();
  for await (const set of pages((pageToken) => store.datasets.list({ pageSize: PAGE, pageToken }), "datasets")) {
    datasets.set(`datasets/${set.id}`, await digestOf(store, set));
  }
  return { jobs, versions, datasets };
}

/** The digest of what a bucket has of a data set; without one, what is said of its folder. */
async function digestOf({ folders }: Store, { directory, files, description }: DatasetRecord): Promise<string> {
  if (files === undefined || folders === undefined) {
    return existsSync(directory) ? String(description.digest) : "its folder is gone";
  }
  try {
    const copy = await folders.copy(files);
    const { digest } = await openDataset(join(copy.path, "folder", basename(directory)));
    copy.release();
    return digest;
  } catch (error) {
    return `its files cannot be read: ${error}`;
  }
}

async function* pages<K extends string, T>(
  list: (pageToken: string) => Promise<{ readonly [key in K]: readonly T[] } & { readonly nextPageToken: string }>,
  key: K,
): AsyncGenerator<T> {
  let token = "";
  do {
    const page = await list(token);
    yield* page[key];
    token = page.nextPageToken;
  } while (token !== "");
}

async function allEvents({ jobs }: Store, id: string): Promise<readonly JobEvent[]> {
  const events: JobEvent[] = [];
  for (;;) {
    const more = await jobs.events(id, { after: events.at(-1)?.number ?? 0, limit: 1_000 });
    if (more.length === 0) return events;
    events.push(...more);
  }
}

async function readVersion(store: Store, version: ModelVersionRecord): Promise<VersionHistory> {
  const { model, artifacts, card, job } = version;
  const problems: string[] = [];
  for (const { role, digest, sizeBytes } of artifacts) {
    const bytes = await store.blobs.get(digest).catch((error: unknown) => String(error));
    if (typeof bytes === "string") problems.push(`its ${role} cannot be read: ${bytes}`);
    else if (bytes.length !== sizeBytes) problems.push(`its ${role} has ${bytes.length} bytes and not ${sizeBytes}`);
    else if (createHash("sha256").update(bytes).digest("hex") !== digest) problems.push(`its ${role} is another`);
    else if (role === "card" && !isDeepStrictEqual(JSON.parse(bytes.toString()), card)) {
      problems.push("its card's file says something else than its row");
    }
  }
  return { name: `models/${model}/versions/${version.version}`, job, artifacts, problems };
}
