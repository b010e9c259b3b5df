import { createHash } from "node:crypto";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { ImportOptionsSchema } from "@duchenne/proto";
import { canonicalJson, type NewModelVersion } from "@duchenne/store";
import type { Upload } from "./receive-upload.ts";

/** Who asks for an import, and what for: the file and what is said of it. Undefined for a request without an id. */
export function importRequest({ options, sha256 }: Upload): NewModelVersion["request"] {
  const {
    requestId: id = "",
    sizeBytes: _size,
    sha256: _expected,
    ...said
  } = toJson(ImportOptionsSchema, options) as JsonObject & { readonly requestId?: string };
  if (id === "") return undefined;
  const text = canonicalJson({ options: said, sha256 });
  return { id, digest: createHash("sha256").update(text).digest("hex") };
}
