import { isSpanContextValid, trace } from "@opentelemetry/api";
import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdSerializers } from "pino";

/** How much is logged. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** Writes one structured line: constant message, values as attributes. Never pass an image, an embedding or a face. */
export type LogWrite = (attributes: Readonly<Record<string, unknown>>, message: string) => void;

/** A structured log. An `error` attribute is written with its stack and causes. */
export interface Logger {
  readonly trace: LogWrite;
  readonly debug: LogWrite;
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
  /** A log that adds these attributes to every line. */
  child(attributes: Readonly<Record<string, unknown>>): Logger;
}

/** What createLogger writes, and where. */
export interface LoggerOptions {
  /** The process, such as "duchenne-detector". */
  readonly name: string;
  /** Default: info. */
  readonly level?: LogLevel;
  /** "json" for machines, "pretty" for people; default: pretty on a terminal. */
  readonly format?: "json" | "pretty";
  /** Takes the lines; default: standard error, written at once so that a crash loses none. */
  readonly destination?: { write(line: string): void };
}

/** Creates a log of JSON lines with the ids of the active span, so that a line leads to its trace. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format ?? (options.destination === undefined && process.stderr.isTTY ? "pretty" : "json");
  const sink = options.destination ?? destination({ fd: 2, sync: true });
  const stream: DestinationStream =
    format === "json" ? sink : { write: (line: string) => sink.write(prettyLine(JSON.parse(line))) };
  const log = pino(
    {
      level: options.level ?? "info",
      base: { service: options.name },
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
      mixin: activeSpan,
    },
    stream,
  );
  return wrap(log);
}

function wrap(log: PinoLogger): Logger {
  return {
    trace: (attributes, message) => log.trace(attributes, message),
    debug: (attributes, message) => log.debug(attributes, message),
    info: (attributes, message) => log.info(attributes, message),
    warn: (attributes, message) => log.warn(attributes, message),
    error: (attributes, message) => log.error(attributes, message),
    child: (attributes) => wrap(log.child(attributes)),
  };
}

function activeSpan(): Record<string, string> {
  const spanContext = trace.getActiveSpan()?.spanContext();
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return {};
  return { traceId: spanContext.traceId, spanId: spanContext.spanId };
}

function prettyLine(line: Record<string, unknown>): string {
  const { level, time, message, error, service: _, traceId: __, spanId: ___, ...attributes } = line;
  const clock = String(time).slice(11, 19);
  const values = Object.entries(attributes).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  const stack = isRecord(error) ? `\n  ${String(error.stack ?? error.message).replaceAll("\n", "\n  ")}` : "";
  return `${clock} ${String(level).toUpperCase().padEnd(5)} ${message}${values.join("")}${stack}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
