/** Serves one implementation of a service on grpc-js and on connect-node, behind one chain of interceptors. */
export type { Call, CallContext, CallHandler, Interceptor, ProtocolName } from "./call.ts";
export { checkMessage, InvalidRequestError } from "./check-message.ts";
export { ERROR_DOMAIN, isAbort, isRpcFailure, type RpcFailure, toStatus, type Violation } from "./errors.ts";
export type { Health, ServingStatus } from "./health.ts";
export { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from "./logger.ts";
export type { Principal } from "./principal.ts";
export {
  createRpcServer,
  type ListenAddress,
  type RpcServer,
  type RpcServerOptions,
  type TlsOptions,
} from "./server.ts";
export {
  type BidiStreamingMethod,
  type ClientStreamingMethod,
  type MethodImplementation,
  type ServerStreamingMethod,
  type ServiceHandler,
  type ServiceImplementation,
  serviceHandler,
  type UnaryMethod,
} from "./service-handler.ts";
export type { WebFile, WebFiles } from "./transports/web-files.ts";
