// `npm run console`: the page under development, each change shown at once, beside a server that runs elsewhere.
import { join } from "node:path";
import { createServer } from "vite";
import { PACKAGE_FOLDER } from "./places.ts";

const server = await createServer({ configFile: join(PACKAGE_FOLDER, "vite.config.ts") });
await server.listen();
server.printUrls();
server.bindCLIShortcuts({ print: true });
