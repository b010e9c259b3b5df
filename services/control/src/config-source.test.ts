import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigurationError, HelpRequested, parseConfiguration, processConfigShape } from "./config-source.ts";

const schema = z.object({ ...processConfigShape, grpcPort: processConfigShape.grpcPort.default(50_051) });
const complete = ["--connect-port", "0"];

describe("parseConfiguration", () => {
  it("reads arguments before the environment, and defaults last", () => {
    const config = parseConfiguration(schema, {
      args: [...complete, "--grpc-port=7"],
      env: { DUCHENNE_GRPC_PORT: "8", DUCHENNE_HOST: "0.0.0.0", DUCHENNE_JSON: "1" },
    });
    expect(config).toMatchObject({ grpcPort: 7, host: "0.0.0.0", json: true, maxStreamsPerPeer: 128, leaseMs: 30_000 });
  });

  it("answers --help with every option, its variable, meaning and default", () => {
    const help = () => parseConfiguration(schema, { args: ["--help", "--nonsense"], env: {} });
    expect(help).toThrow(HelpRequested);
    expect(help).toThrow("  --grpc-port, DUCHENNE_GRPC_PORT\n      The gRPC port. (default: 50051)\n");
  });

  it("reports every problem together", () => {
    const attempt = () =>
      parseConfiguration(schema, {
        args: ["--grpc-port", "70000", "--colour", "red"],
        env: { DUCHENNE_OTLP_ENDPOINT: "nowhere" },
      });
    expect(attempt).toThrow(ConfigurationError);
    try {
      attempt();
    } catch (error) {
      const fields = (error as ConfigurationError).violations.map(({ field }) => field.split(" ")[0]);
      expect(fields.sort()).toEqual(["--colour", "--connect-port", "--grpc-port", "--otlp-endpoint"]);
    }
  });

  it("takes origins of web pages, none by default, and refuses what no browser would send", () => {
    const origins = (text: string) =>
      parseConfiguration(schema, { args: [...complete, "--cors-origins", text], env: {} }).corsOrigins;
    expect(parseConfiguration(schema, { args: complete, env: {} }).corsOrigins).toEqual([]);
    expect(origins("https://app.example,http://localhost:5173")).toEqual([
      "https://app.example",
      "http://localhost:5173",
    ]);
    expect(origins("*")).toEqual(["*"]);
    for (const text of [
      "app.example",
      "https://app.example/",
      "https://app.example/live",
      "https://App.example",
      "null",
    ]) {
      expect(() => origins(text), text).toThrow('Expected "*", or origins without a path');
    }
  });
});
