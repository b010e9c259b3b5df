import { fileURLToPath } from "node:url";

/** The package's folder. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** Where the page is built to. */
export const BUILT_FOLDER = fileURLToPath(new URL("../dist", import.meta.url));
