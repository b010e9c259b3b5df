import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { expect, it } from "vitest";
import { collectDrawnFolders, curatingFolder, drawingFolder, drawnFolder } from "./drawn-folders.ts";

const fixture = useStore(contractDrivers[0]!);

const data = () => fixture.location.directory;
const make = async (path: string) => {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "image.jpg"), "");
  return basename(path);
};
/** A synthesis that runs its next attempt. */
async function claimed() {
  await fixture.store.jobs.create({ kind: "synthesize_dataset", spec: {} });
  return (await fixture.store.jobs.claim({ kinds: ["synthesize_dataset"], owner: "a", leaseMs: 60_000 }))!;
}
const end = ({ id }: { readonly id: string }, state: "SUCCEEDED" | "FAILED", attempt = 1) =>
  fixture.store.jobs.finish(
    id,
    attempt,
    state === "SUCCEEDED"
      ? { state, result: {} }
      : { state, error: { code: "internal", reason: "BROKEN", message: "It broke" } },
  );
const collect = () => collectDrawnFolders(fixture.store, data());
const left = async () => (await readdir(join(data(), "datasets"))).toSorted();

it("what an attempt was drawing goes when its job has ended, however, and not before", async () => {
  for (const state of ["SUCCEEDED", "FAILED"] as const) {
    const job = await claimed();
    const drawing = await make(drawingFolder(data(), "faces", job));
    expect(await collect()).toEqual([]);
    await end(job, state);
    expect(await collect()).toEqual([drawing]);
    expect(await left()).toEqual([]);
  }
});

it("what an attempt was drawing goes when another one runs, whose own stays", async () => {
  const job = await claimed();
  const killed = await make(drawingFolder(data(), "faces", job));
  await fixture.store.jobs.releaseOwner("a");
  expect(await collect()).toEqual([]);
  const next = (await fixture.store.jobs.claim({ kinds: [job.kind], owner: "b", leaseMs: 60_000 }))!;
  expect(next).toMatchObject({ id: job.id, attempt: 2 });
  const drawing = await make(drawingFolder(data(), "faces", next));
  expect(await collect()).toEqual([killed]);
  expect(await left()).toEqual([drawing]);
});

it("what was drawn stays when it is a data set or may become one, and goes when it never will", async () => {
  const { store } = fixture;
  const [registered, failed, refused, cancelled] = [await claimed(), await claimed(), await claimed(), await claimed()];
  const names = await Promise.all(
    [registered, failed, refused, cancelled].map((job) => make(drawnFolder(data(), "faces", job))),
  );
  const directory = drawnFolder(data(), "faces", registered);
  await store.datasets.register({ id: "faces", directory, description: {}, job: registered });
  expect(await collect()).toEqual([]);
  await end(registered, "SUCCEEDED");
  await end(failed, "FAILED");
  // Its data set is one that another machine has drawn.
  await end(refused, "SUCCEEDED");
  await store.jobs.requestCancel(cancelled.id);
  await store.jobs.finish(cancelled.id, 1, { state: "CANCELLED" });
  expect((await collect()).toSorted()).toEqual([names[2], names[3]].toSorted());
  expect(await left()).toEqual([names[0], names[1]].toSorted());
});

it("what was curated stays for the next attempt, also of a job that failed, and goes when nobody goes on with it", async () => {
  const { store } = fixture;
  const job = await claimed();
  const curated = await make(curatingFolder(data(), "faces", job));
  await store.jobs.releaseOwner("a");
  const next = (await store.jobs.claim({ kinds: [job.kind], owner: "b", leaseMs: 60_000 }))!;
  expect(await collect()).toEqual([]);
  await end(next, "FAILED", 2);
  expect(await collect()).toEqual([]);
  await store.jobs.retry(job.id);
  await store.jobs.requestCancel(job.id);
  expect(await collect()).toEqual([curated]);
  expect(await left()).toEqual([]);
});

it("what was drawn for a data set that was deleted goes, but not while another one is registered on it", async () => {
  const { store } = fixture;
  const [job, other] = [await claimed(), await claimed()];
  const names = await Promise.all([job, other].map((each) => make(drawnFolder(data(), "faces", each))));
  const directory = drawnFolder(data(), "faces", job);
  await store.datasets.register({ id: "faces", directory, description: {}, managed: true, job });
  await store.datasets.register({ id: "mine", directory, description: {} });
  await end(job, "SUCCEEDED");
  await end(other, "SUCCEEDED");
  await store.datasets.delete("faces");
  expect(await collect()).toEqual([names[1]]);
  expect(await left()).toEqual([names[0]]);
  await store.datasets.delete("mine");
  // As left by a process that was killed while it removed another one.
  const rest = await make(join(data(), "datasets", `.faces-${job.id}-${job.id}.removed`));
  expect((await collect()).toSorted()).toEqual([rest, names[0]].toSorted());
  expect(await left()).toEqual([]);
});

it("what nobody knows stays, and what earlier releases were drawing goes when it is old", async () => {
  const [job, other] = ["5d2b0f1e-7a50-4d0e-9d7c-3f2f6f0a1b2c", "0d2b0f1e-7a50-4d0e-9d7c-3f2f6f0a1b2c"];
  const unknown = await make(drawingFolder(data(), "faces", { id: job, attempt: 1 }));
  const own = await make(join(data(), "datasets", "mine"));
  const young = await make(join(data(), "datasets", `.${job}.partial`));
  const old = await make(join(data(), "datasets", `.${other}.partial`));
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3_600_000);
  await utimes(join(data(), "datasets", old), twoDaysAgo, twoDaysAgo);
  expect(await collect()).toEqual([old]);
  expect(await left()).toEqual([unknown, own, young].toSorted());
});
