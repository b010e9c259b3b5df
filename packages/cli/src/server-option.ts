import { createDuchenneClient, type DuchenneClient } from "@duchenne/client";
import { type Command, Option } from "commander";

/** The option that names the server. */
export function serverOption(): Option {
  return new Option("--server <address>", "gRPC address of the server")
    .env("DUCHENNE_SERVER")
    .default("127.0.0.1:50051");
}

/** Runs work with a client of the command's server, and closes it. */
export async function withClient<T>(command: Command, work: (client: DuchenneClient) => Promise<T>): Promise<T> {
  const { server } = command.opts<{ server: string }>();
  const client = createDuchenneClient({ address: server });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
