/** Brings files out of package registries into the per-user cache. */
export { cacheDirectory } from "./cache-directory.ts";
export { commandFailure, npmPack, pipDownload } from "./fetch.ts";
export { makeOnce } from "./make-once.ts";
export { ProvisionError } from "./provision-error.ts";
