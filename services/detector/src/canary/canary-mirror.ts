import type { Logger } from "@duchenne/rpc";
import type { Detection, DetectionRequest, FoundImage } from "@duchenne/vision";
import type { Following, Lease, ModelRegistry } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import type { CanaryMetrics } from "./canary-metrics.ts";
import { compareDetections } from "./compare-detections.ts";
import { ComparisonReport } from "./comparison-report.ts";

/** A frame that was answered. */
export interface AnsweredFrame {
  /** What answered it. */
  readonly lease: Omit<Lease<ServedModel>, "release">;
  readonly request: DetectionRequest;
  readonly found: FoundImage;
  readonly detection: Detection;
}

/** One stream's way to the canaries. */
export interface StreamMirror {
  /** May have the frame scored by the canary of its alias, too. Costs its stream nothing. */
  offer(frame: AnsweredFrame): void;
  close(): void;
}

/** What a mirror is made of. */
export interface CanaryMirrorOptions {
  readonly registry: ModelRegistry<ServedModel>;
  /** Share of the frames of streams on an alias `live` that the alias `canary` of the same model scores too, 0..1. */
  readonly share: number;
  /** The lowest priority: what is only compared waits behind everything that is answered. */
  readonly priority: number;
  readonly metrics: CanaryMetrics;
  readonly logger: Logger;
  /** 0..1; default: Math.random */
  readonly random?: () => number;
}

interface Canary {
  streams: number;
  following: Following<ServedModel> | undefined;
  opening: Promise<void>;
  /** When one that could not be loaded is tried again, by performance.now(). */
  retryMs: number;
  readonly report: ComparisonReport;
}

/** The longest a mirrored frame may wait, in milliseconds. */
const TIMEOUT_MS = 1000;
/** The shortest time between two attempts to load a canary that cannot be loaded, in milliseconds. */
const RETRY_AFTER_MS = 60_000;
/** Errors of a queue that is full or slow. */
const BUSY: readonly unknown[] = ["QUEUE_FULL", "QUEUE_TIMEOUT"];

/**
 * Has a share of what is live scored by a candidate as well, on the same faces, and measures how the two differ. Answers
 * are those of what is live alone. One frame is mirrored at a time, after its answer and at the lowest priority, and one
 * chosen meanwhile is skipped: a slow canary is seen in the count of those, not by callers.
 */
export class CanaryMirror {
  readonly #options: CanaryMirrorOptions;
  readonly #random: () => number;
  readonly #canaries = new Map<string, Canary>();
  readonly #closing = new AbortController();
  #working: Promise<void> | undefined;

  constructor(options: CanaryMirrorOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** A stream begins. */
  open(): StreamMirror {
    let alias: string | undefined;
    const turnTo = (next: string | undefined) => {
      if (next === alias) return;
      if (alias !== undefined) this.#leave(alias);
      alias = next;
      if (alias !== undefined) this.#join(alias);
    };
    return {
      offer: (frame) => {
        if (this.#options.share === 0 || this.#closing.signal.aborted || frame.found.faces.length === 0) return;
        turnTo(canaryOf(frame.lease.resolved.alias));
        const canary = alias === undefined ? undefined : this.#canaries.get(alias);
        if (canary?.following !== undefined && this.#random() < this.#options.share) this.#offer(canary, frame);
      },
      close: () => turnTo(undefined),
    };
  }

  /** Looks again for canaries: an alias may have been set, or deleted, which ends its mirroring. */
  refresh(): void {
    for (const [alias, canary] of this.#canaries) {
      canary.opening = canary.opening.then(() => this.#follow(alias, canary));
    }
  }

  /** Ends what is mirrored. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
    for (const alias of [...this.#canaries.keys()]) await this.#forget(alias);
  }

  #join(alias: string): void {
    let canary = this.#canaries.get(alias);
    if (canary === undefined) {
      const report = new ComparisonReport(this.#options.logger);
      const made: Canary = { streams: 0, following: undefined, opening: Promise.resolve(), retryMs: 0, report };
      made.opening = this.#follow(alias, made);
      this.#canaries.set(alias, made);
      canary = made;
    }
    canary.streams++;
  }

  #leave(alias: string): void {
    const canary = this.#canaries.get(alias);
    if (canary !== undefined && --canary.streams === 0) void this.#forget(alias);
  }

  async #forget(alias: string): Promise<void> {
    const canary = this.#canaries.get(alias);
    if (canary === undefined) return;
    this.#canaries.delete(alias);
    await canary.opening;
    // The last frame may still be under way.
    await this.#working;
    canary.following?.close();
    canary.report.end();
  }

  async #follow(alias: string, canary: Canary): Promise<void> {
    if (canary.following?.isGone() === true) {
      canary.following.close();
      canary.following = undefined;
      canary.report.end();
    }
    if (canary.following !== undefined || performance.now() < canary.retryMs) return;
    try {
      canary.following = await this.#options.registry.follow(alias);
    } catch (error) {
      // Most models have none.
      if (error instanceof Error && "code" in error && error.code === "not_found") return;
      canary.retryMs = performance.now() + RETRY_AFTER_MS;
      this.#options.logger.error({ alias, error }, "A canary cannot be loaded");
    }
  }

  #offer({ following, report }: Canary, frame: AnsweredFrame): void {
    const lease = following!.lease();
    if (lease.model.name === frame.lease.model.name) {
      lease.release();
    } else if (this.#working === undefined) {
      this.#working = this.#compare(lease, report, frame).finally(() => {
        this.#working = undefined;
      });
    } else {
      lease.release();
      this.#options.metrics.frame("skipped");
    }
  }

  async #compare(
    { model, release }: Lease<ServedModel>,
    report: ComparisonReport,
    frame: AnsweredFrame,
  ): Promise<void> {
    const { priority, metrics } = this.#options;
    const pair = { live: frame.lease.model.name, canary: model.name };
    try {
      const scheduling = { stream: this, priority, timeoutMs: TIMEOUT_MS, signal: this.#closing.signal };
      const detection = await model.au.run(sameFaces(frame), scheduling);
      const sameKind = model.au.describe().scoreKind === frame.lease.model.au.describe().scoreKind;
      const comparisons = compareDetections(frame.detection, detection, sameKind);
      for (const each of comparisons) metrics.score(each);
      metrics.frame("compared");
      report.compared(pair, comparisons, performance.now());
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const busy = error instanceof Error && "reason" in error && BUSY.includes(error.reason);
      metrics.frame(busy ? "skipped" : "failed");
      if (!busy) report.failed(pair, error, performance.now());
    } finally {
      release();
    }
  }
}

/** "models/x@canary" of "models/x@live"; undefined of anything else. */
function canaryOf(alias: string): string | undefined {
  return alias.endsWith("@live") ? alias.replace(/live$/, "canary") : undefined;
}

/** The request of a frame whose faces are known; a crop or a given box says where the face is by itself. */
function sameFaces({ request, found }: AnsweredFrame): DetectionRequest {
  const { image, maxFaces, imageIsCrop, faceBox } = request;
  if (imageIsCrop === true || faceBox !== undefined) return { image, maxFaces, imageIsCrop, faceBox };
  const faces = found.faces.map(({ box, confidence, landmarks }) => ({ box, confidence, landmarks }));
  return { image, maxFaces, faces };
}
