import { runServiceProcess } from "@duchenne/control";
import { createStandalone, readStandaloneConfig } from "@duchenne/standalone";
import { Command } from "commander";

/** `duchenne serve`: all services in this process. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("run the detector, trainer and evaluator in one process")
    .argument("[options...]", "such as --grpc-port 50051 --data ./duchenne-data; --help lists them")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => {
      await runServiceProcess({
        name: "standalone",
        readConfig: () => readStandaloneConfig(args),
        create: createStandalone,
      });
    });
}
