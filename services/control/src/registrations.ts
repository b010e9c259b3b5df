import { isDeepStrictEqual } from "node:util";
import { AlreadyExistsError, type DatasetRecord, type Store } from "@duchenne/store";
import { type FolderToRegister, registerFolder } from "./register-folder.ts";

/** Registers folders. */
export interface Registrations {
  /**
   * Registers a folder as registerFolder does. It may take longer than any call: the same asked again meanwhile waits for what
   * is under way.
   *
   * @throws {AlreadyExistsError} also when another folder is being registered under its id @throws as registerFolder
   */
  register(folder: FolderToRegister): Promise<DatasetRecord>;
}

/** Starts with nothing under way. */
export function createRegistrations(store: Store): Registrations {
  const running = new Map<string, { readonly folder: FolderToRegister; readonly work: Promise<DatasetRecord> }>();
  return {
    async register(folder) {
      const { id } = folder;
      const other = running.get(id);
      if (other !== undefined) {
        if (isDeepStrictEqual(other.folder, folder)) return other.work;
        throw new AlreadyExistsError(
          "DATASET_EXISTS",
          `"${id}" is being registered from another folder or in another way`,
        );
      }
      const work = registerFolder(store, folder).finally(() => running.delete(id));
      running.set(id, { folder, work });
      return work;
    },
  };
}
