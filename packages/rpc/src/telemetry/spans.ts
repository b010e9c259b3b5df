import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { parseTraceParent } from "@opentelemetry/core";

/** The instrumentation scope of every span and metric of the product. */
export const SCOPE = "duchenne";

/** How withSpan places its span. */
export interface SpanOptions {
  /** Default: internal. */
  readonly kind?: SpanKind;
  /** Spans this one has to do with, without being their child. */
  readonly links?: readonly SpanContext[];
  /** True starts a trace of its own, such as an attempt's, which is linked to the call that created its job. */
  readonly root?: boolean;
  /** The parent; default: the active context. */
  readonly parent?: Context;
  /** When it began, in milliseconds since 1970; default: now. */
  readonly startTime?: number;
}

/**
 * Runs `work` in a span and ends the span when it is done. A thrown error is recorded, marks the span as failed and is
 * thrown on; an AbortError is not a failure.
 *
 *     const faces = await withSpan("faces", { "duchenne.frame.width": image.width }, () => findFaces(image));
 */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T> | T,
  options: SpanOptions = {},
): Promise<T> {
  const parent = options.root === true ? ROOT_CONTEXT : (options.parent ?? context.active());
  const links: Link[] = (options.links ?? []).map((linked) => ({ context: linked }));
  const span = trace
    .getTracer(SCOPE)
    .startSpan(name, { kind: options.kind ?? SpanKind.INTERNAL, attributes, links, ...startOf(options) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function startOf({ startTime }: SpanOptions) {
  return startTime === undefined ? {} : { startTime };
}

/** Marks a span as failed by an error, unless the error only says that the work was cancelled. */
export function recordFailure(span: Span, error: unknown): void {
  if (error instanceof Error && error.name === "AbortError") return;
  const failure = error instanceof Error ? error : new Error(String(error));
  span.recordException(failure);
  span.setAttribute("error.type", failure.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
}

/** The W3C traceparent of a context, to be stored with a job or passed to a child; undefined without a valid span. */
export function traceparentOf(of: Context = context.active()): string | undefined {
  const spanContext = trace.getSpanContext(of);
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return undefined;
  const flags = spanContext.traceFlags.toString(16).padStart(2, "0");
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`;
}

/** The span a W3C traceparent names, to link or to parent to; undefined when it is not a valid traceparent. */
export function spanContextFromTraceparent(traceparent: string): SpanContext | undefined {
  const spanContext = parseTraceParent(traceparent);
  return spanContext === null ? undefined : { ...spanContext, isRemote: true };
}

/** A context whose parent span is the one a traceparent names; the root context when it is not valid. */
export function contextFromTraceparent(traceparent: string): Context {
  const spanContext = spanContextFromTraceparent(traceparent);
  return spanContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** Makes every step of an async iterable run in a context: generators otherwise run in that of whoever pulls. */
export function bindIterable<T>(iterable: AsyncIterable<T>, to: Context): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      const iterator = context.with(to, () => iterable[Symbol.asyncIterator]());
      return {
        next: () => context.with(to, () => iterator.next()),
        return: async (value) =>
          iterator.return === undefined
            ? { done: true, value }
            : await context.with(to, () => iterator.return?.(value) ?? { done: true, value }),
        throw: async (error) => {
          if (iterator.throw === undefined) throw error;
          return await context.with(to, () => iterator.throw?.(error) ?? Promise.reject(error));
        },
      };
    },
  };
}
