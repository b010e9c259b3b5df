/** The detector: finds faces and reads their action units. */
export { type DetectorConfig, detectorShape } from "./config.ts";
export { createDetector } from "./create-detector.ts";
