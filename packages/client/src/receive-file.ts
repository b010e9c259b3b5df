import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";

/** Thrown when what arrived is not what the server said it would send. */
export class DamagedExportError extends Error {
  constructor(expected: string, actual: string) {
    super(`Expected a file of sha256 ${expected}, ${actual === "" ? "nothing arrived" : `got one of ${actual}`}`);
    this.name = "DamagedExportError";
  }
}

/** A message of a server that sends a file: what it is, then its bytes. */
export interface FileMessage {
  readonly message:
    | { readonly case: "file"; readonly value: { readonly fileName: string; readonly digest: string } }
    | { readonly case: "chunk"; readonly value: Uint8Array }
    | { readonly case: undefined };
}

/**
 * Writes a file that a server sends into a folder, under the server's name for it. The file appears whole or not at all.
 *
 * @param call  starts the call. A call that starts before somebody reads it ends the process when it fails in between:
 *   nobody would be there to take its rejection.
 * @returns the file's path
 * @throws {DamagedExportError}
 */
export async function receiveFile(call: () => AsyncIterable<FileMessage>, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.${randomUUID()}.part`);
  const handle = await open(partial, "wx");
  const hash = createHash("sha256");
  let file: { readonly fileName: string; readonly digest: string } | undefined;
  try {
    for await (const { message } of call()) {
      if (message.case === "file") file = message.value;
      else if (message.case === "chunk") {
        hash.update(message.value);
        await handle.writeFile(message.value);
      }
    }
    const digest = hash.digest("hex");
    if (file?.digest !== digest) throw new DamagedExportError(file?.digest ?? "", file === undefined ? "" : digest);
    await handle.close();
    // Whatever the server says, the file stays in the folder.
    const path = join(folder, basename(file.fileName));
    await rename(partial, path);
    return path;
  } catch (error) {
    await handle.close();
    await rm(partial, { force: true });
    throw error;
  }
}
