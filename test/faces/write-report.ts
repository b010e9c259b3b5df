// Writes docs/faces.md: node test/faces/write-report.ts
import { writeFile } from "node:fs/promises";
import { createVisionEngine } from "@duchenne/vision";
import { facesReport } from "./faces-report.ts";

const engine = createVisionEngine({ workers: 1 });
const report = await facesReport(await engine.load({ kind: "blendshape-au" }));
await engine.close();
await writeFile(new URL("../../docs/faces.md", import.meta.url), report);
