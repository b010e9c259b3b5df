import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  DetectorService,
  type FrameSchema,
  type StreamConfigurationSchema,
  type StreamDetectRequestSchema,
  type StreamDetectResponse,
} from "@duchenne/proto";
import { createMessageQueue } from "../e2e/message-queue.ts";

type Request = NonNullable<MessageInitShape<typeof StreamDetectRequestSchema>["message"]>;
/** A message of the server. */
export type Answer = Extract<StreamDetectResponse["message"], { readonly case: string }>;
/** The message of a kind. */
export type AnswerOf<C extends Answer["case"]> = Extract<Answer, { readonly case: C }>["value"];

/** A stream whose messages a test sends and reads one by one. */
export interface LiveClient {
  send(message: Request): void;
  frame(frame: MessageInitShape<typeof FrameSchema>): void;
  halfClose(): void;
  /** The next message; fails when it is of another kind. */
  next<C extends Answer["case"]>(kind: C): Promise<AnswerOf<C>>;
  /** The next message, of whatever kind; undefined at the end. */
  read(): Promise<Answer | undefined>;
  /** All that is left. */
  rest(): Promise<Answer[]>;
}

/** Opens a stream with its configuration. */
export function openStream(
  transport: Transport,
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  signal?: AbortSignal,
): LiveClient {
  const requests = createMessageQueue<Request>();
  requests.push({ case: "configuration", value: configuration });
  async function* messages() {
    for await (const message of requests) yield { message };
  }
  const answers = createClient(DetectorService, transport)
    .streamDetect(messages(), signal === undefined ? {} : { signal })
    [Symbol.asyncIterator]();
  const read = async (): Promise<Answer | undefined> => {
    const { done, value } = await answers.next();
    return done === true || value.message.case === undefined ? undefined : value.message;
  };
  return {
    send: (message) => requests.push(message),
    frame: (value) => requests.push({ case: "frame", value }),
    halfClose: () => requests.end(),
    read,
    async next(kind) {
      const answer = await read();
      if (answer?.case !== kind) throw new Error(`Expected ${kind}, got ${JSON.stringify(answer, bigints)}`);
      return answer.value as AnswerOf<typeof kind>;
    },
    async rest() {
      const all: Answer[] = [];
      for (let answer = await read(); answer !== undefined; answer = await read()) all.push(answer);
      return all;
    },
  };
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** The answers of a kind. */
export function only<C extends Answer["case"]>(answers: readonly Answer[], kind: C): AnswerOf<C>[] {
  return answers.filter((answer) => answer.case === kind).map((answer) => answer.value as AnswerOf<C>);
}
