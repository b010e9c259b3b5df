import { InvalidFieldError } from "../invalid-field-error.ts";

/** Thrown when a chunk does not start where the upload ended; the right offset is in `metadata`. */
export class UploadOffsetError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "UPLOAD_OFFSET_MISMATCH";
  readonly metadata: Readonly<Record<string, string>>;

  constructor(committedBytes: number, offset: bigint) {
    super(`Expected a chunk that starts at ${committedBytes}, got one that starts at ${offset}`);
    this.name = "UploadOffsetError";
    this.metadata = { committedBytes: String(committedBytes) };
  }
}

/** Thrown when a chunk reaches past the size that the upload was begun with. */
export class UploadTooLongError extends InvalidFieldError {
  readonly reason = "UPLOAD_TOO_LONG";

  constructor(sizeBytes: number, end: number) {
    super("chunk", `Expected an archive of ${sizeBytes} bytes, got a chunk that ends at ${end}`);
  }
}

/** Thrown when an upload is to be finished before all of it arrived; how far it got is in `metadata`. */
export class UploadIncompleteError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "UPLOAD_INCOMPLETE";
  readonly metadata: Readonly<Record<string, string>>;

  constructor(committedBytes: number, sizeBytes: number) {
    super(`Expected all ${sizeBytes} bytes of the archive, ${committedBytes} have arrived`);
    this.name = "UploadIncompleteError";
    this.metadata = { committedBytes: String(committedBytes) };
  }
}

/**
 * Thrown when an archive was unpacked before for a data set that was deleted since, and another one was registered on the folder
 * meanwhile.
 */
export class UploadPlaceTakenError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "UPLOAD_PLACE_TAKEN";

  constructor(folder: string) {
    super(
      `Expected no data set on ${folder}, where this archive is unpacked; delete that one, or upload under another id`,
    );
    this.name = "UploadPlaceTakenError";
  }
}

/** Thrown when more data sets are being uploaded than the server keeps. */
export class TooManyUploadsError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "TOO_MANY_UPLOADS";

  constructor(max: number) {
    super(`Expected fewer than ${max} unfinished uploads; finish some, delete some, or wait until they expire`);
    this.name = "TooManyUploadsError";
  }
}

/** Thrown when an archive is no zip, or holds what is not unpacked. */
export class ArchiveError extends InvalidFieldError {
  readonly reason = "INVALID_ARCHIVE";

  /** @param entry the file of the archive that is the problem, if it is one of them */
  constructor(description: string, entry?: string) {
    super(entry === undefined ? "archive" : `archive:${printable(entry)}`, description);
  }
}

/** Names come from strangers: control characters and endless names do not belong into messages. */
function printable(name: string): string {
  const clean = name.replace(/\p{C}/gu, "?");
  return clean.length > 200 ? `${clean.slice(0, 200)}...` : clean;
}
