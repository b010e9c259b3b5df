import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  DatasetService,
  DetectorService,
  EvaluatorService,
  JobService,
  ModelService,
  TrainerService,
} from "@duchenne/proto";

/** Where the server is, and how it is called. */
export interface ClientOptions {
  /** "host:port" of the gRPC port, or a URL; "https://" for TLS. */
  readonly address: string;
  /** Wrap every call, for example to authenticate or to trace. */
  readonly interceptors?: readonly Interceptor[];
}

/** The services of a server. */
export interface DuchenneClient {
  readonly detector: Client<typeof DetectorService>;
  readonly trainer: Client<typeof TrainerService>;
  readonly evaluator: Client<typeof EvaluatorService>;
  readonly jobs: Client<typeof JobService>;
  readonly models: Client<typeof ModelService>;
  readonly datasets: Client<typeof DatasetService>;
  /** Closes the connection; running calls end with an error. */
  close(): void;
}

/**
 * Connects to a server, lazily: the first call opens the connection, which all calls share.
 *
 *     const client = createDuchenneClient({ address: "127.0.0.1:50051" });
 *     const { faces } = await client.detector.detectFaces({ image: await readFile("face.jpg") });
 *     client.close();
 */
export function createDuchenneClient({ address, interceptors = [] }: ClientOptions): DuchenneClient {
  const baseUrl = /^https?:\/\//.test(address) ? address : `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 30_000 });
  const transport = createGrpcTransport({ baseUrl, sessionManager, interceptors: [...interceptors] });
  return {
    detector: createClient(DetectorService, transport),
    trainer: createClient(TrainerService, transport),
    evaluator: createClient(EvaluatorService, transport),
    jobs: createClient(JobService, transport),
    models: createClient(ModelService, transport),
    datasets: createClient(DatasetService, transport),
    close: () => sessionManager.abort(),
  };
}
