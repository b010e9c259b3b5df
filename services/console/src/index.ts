/** The live page, as the detector serves it. */
export { consoleFiles } from "./console-files.ts";
