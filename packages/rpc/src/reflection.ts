import {
  create,
  createRegistry,
  type DescFile,
  fromBinary,
  type MessageInitShape,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { reflectionV1 as v1, reflectionV1alpha as v1alpha } from "@duchenne/proto/rpc";
import { type ServiceHandler, serviceHandler } from "./service-handler.ts";

type Response = MessageInitShape<typeof v1.ServerReflectionResponseSchema>;
type Answer = NonNullable<Response["messageResponse"]>;
type Question = v1.ServerReflectionRequest["messageRequest"];

/**
 * Creates grpc.reflection.v1 and its predecessor v1alpha, which older tools ask first, for these services and
 * themselves. Files come with everything they import.
 */
export function createReflection(services: readonly ServiceHandler[]): ServiceHandler[] {
  let answer: (question: Question) => Answer;
  async function* answerAll(requests: AsyncIterable<v1.ServerReflectionRequest>): AsyncIterable<Response> {
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
    }
  }
  const handlers = [
    serviceHandler(v1.ServerReflection, { serverReflectionInfo: answerAll }),
    serviceHandler(v1alpha.ServerReflection, {
      // The two versions differ in their package's name alone: their bytes are the same.
      async *serverReflectionInfo(requests) {
        for await (const response of answerAll(asV1(requests))) {
          const bytes = toBinary(
            v1.ServerReflectionResponseSchema,
            create(v1.ServerReflectionResponseSchema, response),
          );
          yield fromBinary(v1alpha.ServerReflectionResponseSchema, bytes);
        }
      },
    }),
  ];
  answer = createAnswer([...services, ...handlers]);
  return handlers;
}

async function* asV1(
  requests: AsyncIterable<v1alpha.ServerReflectionRequest>,
): AsyncIterable<v1.ServerReflectionRequest> {
  for await (const request of requests) {
    yield fromBinary(v1.ServerReflectionRequestSchema, toBinary(v1alpha.ServerReflectionRequestSchema, request));
  }
}

function createAnswer(services: readonly ServiceHandler[]): (question: Question) => Answer {
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(collect);
  };
  for (const { service } of services) collect(service.file);
  const registry = createRegistry(...files.values());

  return (question) => {
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: services.map(({ service }) => ({ name: service.typeName })) },
        };
      case "fileByFilename":
        return fileAnswer(files.get(question.value), `file "${question.value}"`);
      case "fileContainingSymbol":
        return fileAnswer(fileOfSymbol(registry, question.value), `symbol "${question.value}"`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const extension = extensionsOf(registry, containingType).get(extensionNumber);
        return fileAnswer(extension, `extension ${extensionNumber} of "${containingType}"`);
      }
      case "allExtensionNumbersOfType": {
        if (registry.getMessage(question.value) === undefined) return notFound(`message "${question.value}"`);
        const extensionNumber = [...extensionsOf(registry, question.value).keys()];
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: question.value, extensionNumber },
        };
      }
      default:
        return {
          case: "errorResponse",
          value: { errorCode: Code.InvalidArgument, errorMessage: "Expected a request, got an empty message" },
        };
    }
  };
}

function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return notFound(asked);
  const ordered: DescFile[] = [];
  const visit = (next: DescFile) => {
    if (ordered.includes(next)) return;
    ordered.push(next);
    next.dependencies.forEach(visit);
  };
  visit(file);
  const fileDescriptorProto = ordered.map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(asked: string): Answer {
  return {
    case: "errorResponse",
    value: { errorCode: Code.NotFound, errorMessage: `No ${asked} on this server` },
  };
}

/** Finds services, methods, messages, fields, enums, values and extensions by their full names. */
function fileOfSymbol(registry: Registry, symbol: string): DescFile | undefined {
  const type = registry.get(symbol);
  if (type !== undefined) return type.file;
  const dot = symbol.lastIndexOf(".");
  const parent = registry.get(symbol.slice(0, Math.max(dot, 0)));
  const name = symbol.slice(dot + 1);
  switch (parent?.kind) {
    case "service":
      return parent.methods.some((method) => method.name === name) ? parent.file : undefined;
    case "message":
      return [...parent.fields, ...parent.oneofs].some((member) => member.name === name) ? parent.file : undefined;
    case "enum":
      return parent.values.some((value) => value.name === name) ? parent.file : undefined;
    default:
      return undefined;
  }
}

function extensionsOf(registry: Registry, typeName: string): Map<number, DescFile> {
  const found = new Map<number, DescFile>();
  for (const type of registry) {
    if (type.kind === "extension" && type.extendee.typeName === typeName) found.set(type.number, type.file);
  }
  return found;
}
