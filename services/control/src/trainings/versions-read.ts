import type { JsonObject, NewJob } from "@duchenne/store";
import { z } from "zod";
import { parseVersionName } from "../resource-name.ts";

const readerSchema = z.object({
  modelVersion: z.string().optional(),
  teacherModelVersion: z.string().optional(),
  recipe: z.object({ encoder: z.object({ initialModelVersion: z.string().optional() }).optional() }),
});

/** The versions that a training's job reads, by its spec: they must stay until it has ended. */
export function versionsRead(spec: JsonObject): NonNullable<NewJob["modelVersions"]> {
  const { modelVersion, teacherModelVersion, recipe } = readerSchema.parse(spec);
  const names = [modelVersion, teacherModelVersion, recipe.encoder?.initialModelVersion];
  return names.filter((name) => name !== undefined).map((name) => parseVersionName(name));
}
