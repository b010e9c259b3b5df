// A supervisor in a process of its own, to be killed.
import { createLogger } from "@duchenne/rpc";
import { openStore } from "@duchenne/store";
import { createSupervisor } from "../src/index.ts";

const dataDirectory = process.argv[2]!;
createSupervisor({
  store: await openStore({ directory: dataDirectory }),
  dataDirectory,
  kinds: { count: { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "cpu" } },
  slots: { cpu: 1 },
  logger: createLogger({ name: "test", level: "silent" }),
});
