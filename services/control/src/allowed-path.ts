import { isAbsolute, relative } from "node:path";
import { InvalidFieldError } from "./invalid-field-error.ts";

/** Thrown when a folder or a file lies outside of where it may be read from. */
export class DirectoryNotAllowedError extends InvalidFieldError {
  readonly reason = "DIRECTORY_NOT_ALLOWED";

  constructor(field: string, path: string, roots: readonly string[]) {
    super(field, `Expected a place below ${roots.join(" or ")}, got "${path}"`);
  }
}

/** A path that lies below one of the roots. @throws {DirectoryNotAllowedError} */
export function allowedPath(field: string, path: string, roots: readonly string[]): string {
  const isBelow = roots.some((root) => {
    const way = relative(root, path);
    return way !== "" && !way.startsWith("..") && !isAbsolute(way);
  });
  if (!isBelow) throw new DirectoryNotAllowedError(field, path, roots);
  return path;
}
