import { homedir } from "node:os";
import { join } from "node:path";

/** The per-user cache: $DUCHENNE_CACHE, $XDG_CACHE_HOME/duchenne or ~/.cache/duchenne. The bootstrap has its own copy. */
export function cacheDirectory(): string {
  const { DUCHENNE_CACHE, XDG_CACHE_HOME } = process.env;
  return DUCHENNE_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "duchenne");
}
