// A supervisor in a process of its own, to be killed.
import { createLogger } from "@duchenne/rpc";
import { openStore, type StoreLocation } from "@duchenne/store";
import { createSupervisor } from "../src/index.ts";

const location = JSON.parse(process.argv[2]!) as StoreLocation;
createSupervisor({
  store: await openStore(location),
  location,
  kinds: { count: { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "cpu" } },
  slots: { cpu: 1 },
  logger: createLogger({ name: "test", level: "silent" }),
});
