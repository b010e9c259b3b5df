import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type { StreamAnswer } from "@duchenne/client/browser";
import { DetectorService, ModelService } from "@duchenne/proto";
import { NeutralCalibration } from "./calibration/neutral-calibration.ts";
import { type Failure, failureOfPicture } from "./live/failure.ts";
import { LiveRun } from "./live/live-run.ts";
import { isConnected, type LiveState } from "./live/live-state.ts";
import { Patience } from "./live/patience.ts";
import { PhotographRun, type PhotographState } from "./live/photograph-run.ts";
import { FrameAccount, stagesOf } from "./meters/frame-account.ts";
import { defaultVersion, listModels, modelGroups } from "./models/model-choices.ts";
import { openCamera } from "./source/camera.ts";
import { takeFiles } from "./source/dropped-files.ts";
import { readPhotograph } from "./source/photograph.ts";
import { createCalibrationView } from "./views/calibration-view.ts";
import { byId, write } from "./views/elements.ts";
import { createMetersView } from "./views/meters-view.ts";
import { createSceneView } from "./views/scene-view.ts";
import { createSettingsView } from "./views/settings-view.ts";
import { createStatusView, type PageStatus } from "./views/status-view.ts";

const METERS_EVERY_MS = 300;
/** Boxes that are older fade: the face has moved on. */
const LATE_MS = 1_500;

// The page calls the address that it came from, below the path that it came from.
const transport = createConnectTransport({ baseUrl: new URL(".", document.baseURI).href, useBinaryFormat: true });
const detector = createClient(DetectorService, transport);
const models = createClient(ModelService, transport);

const stage = byId("stage", HTMLElement);
const video = byId("video", HTMLVideoElement);
const photographElement = byId("photograph", HTMLImageElement);
const cameraButton = byId("camera", HTMLButtonElement);
const fileInput = byId("file", HTMLInputElement);

const scene = createSceneView();
const metersView = createMetersView();
const statusView = createStatusView(tryAgain);
const settings = createSettingsView(settingsChanged, showMirrored);
const calibration = new NeutralCalibration();
const calibrationView = createCalibrationView(measureNeutral, resetNeutral);
const listing = new Patience();

let account = new FrameAccount();
let isNewSession = true;
let lastResultMs = 0;
let shownFailure: Failure | undefined;

const live = new LiveRun({
  detector,
  openCamera: (signal) => openCamera(video, signal),
  configuration: () => settings.configuration(),
  onState: liveStateChanged,
  onAnswer: answered,
});

const photographs = new PhotographRun({
  detector,
  request: () => ({
    model: settings.model,
    outputs: { landmarks: settings.showsLandmarks, headPose: true, quality: true },
  }),
  onState: photographStateChanged,
  onScored({ model, faces, imageSize, times }, tookMs) {
    if (model !== undefined) {
      scene.describe(model.actionUnits);
      settings.resolved(model, []);
    }
    scene.show(faces, imageSize, Date.now());
    if (times !== undefined) metersView.photograph(tookMs, stagesOf(times, tookMs));
  },
});

function liveStateChanged(state: LiveState): void {
  if (state.phase === "connecting") {
    isNewSession = true;
    account = new FrameAccount();
  }
  showSource(isConnected(state) ? "camera" : "nothing");
  if (!isConnected(state)) clear();
  show(state);
  showCalibration();
}

function photographStateChanged(state: PhotographState): void {
  if (state.phase === "scoring") clear();
  show(state);
}

function answered(answer: StreamAnswer): void {
  switch (answer.case) {
    case "configured": {
      const { model, warnings } = answer.value;
      if (model === undefined) return;
      scene.describe(model.actionUnits);
      settings.resolved(model, warnings);
      const known = calibration.configured(model.name, isNewSession);
      if (known !== undefined) live.calibrate(known);
      if (isNewSession) void offerModels();
      isNewSession = false;
      break;
    }
    case "result": {
      const { faces, imageSize } = answer.value;
      lastResultMs = Date.now();
      account.result(answer.value, Date.now());
      calibration.answered(faces.map(({ faceId }) => faceId));
      scene.show(faces, imageSize, Date.now());
      break;
    }
    case "dropped":
      account.drop(answer.value);
      break;
    case "calibrated":
      calibration.calibrated(answer.value);
      break;
  }
  showCalibration();
}

function show(status: PageStatus): void {
  shownFailure = status.phase === "failed" ? status.failure : undefined;
  statusView.show(status);
}

function clear(): void {
  scene.clear();
  metersView.clear();
}

/** What the stage shows; the rest of the page follows. */
function showSource(source: "nothing" | "camera" | "photograph"): void {
  stage.dataset.shows = source;
  byId("series-card", HTMLElement).hidden = source === "photograph";
  write(cameraButton, canStart() ? "Start the camera" : "Stop the camera");
  cameraButton.classList.toggle("primary", canStart());
  showMirrored();
}

function showMirrored(): void {
  const isMirrored = settings.isMirrored && stage.dataset.shows === "camera";
  stage.dataset.mirrored = String(isMirrored);
  scene.setMirrored(isMirrored);
}

function showCalibration(): void {
  calibrationView.show(calibration.state, live.state.phase === "live" && scene.selected.face !== undefined);
}

function measureNeutral(): void {
  const { face } = scene.selected;
  if (face !== undefined) live.calibrate(calibration.measure(face.faceId));
  showCalibration();
}

function resetNeutral(): void {
  live.calibrate(calibration.reset());
  showCalibration();
}

function canStart(): boolean {
  return live.state.phase === "off" || live.state.phase === "failed";
}

function startCamera(): void {
  photographs.close();
  live.start();
}

function tryAgain(): void {
  if (shownFailure?.kind === "unreadable-picture") {
    show(photographs.state ?? live.state);
    fileInput.click();
  } else if (photographs.state !== undefined) {
    photographs.retry();
  } else if (live.state.phase === "failed") {
    startCamera();
  } else {
    live.retry();
    listing.retry();
  }
}

function settingsChanged(): void {
  if (photographs.state !== undefined) void photographs.score();
  else if (live.state.phase === "failed") startCamera();
  else live.restart();
}

async function openPhotograph(file: File): Promise<void> {
  const photograph = await readPhotograph(file).catch(() => undefined);
  if (photograph === undefined) {
    show({ phase: "failed", failure: failureOfPicture(file.name) });
    return;
  }
  live.stop();
  photographElement.src = photograph.url;
  photographElement.alt = `Photograph ${photograph.name}`;
  showSource("photograph");
  await photographs.open(photograph);
}

/** Brings the list of models up to date; when that fails, what the user does next tells why. */
async function offerModels(): Promise<void> {
  const listed = await listModels(models, AbortSignal.timeout(10_000)).catch(() => undefined);
  if (listed !== undefined) settings.offer(modelGroups(listed));
}

/** The page begins with the models; until a server answers, that is what it says. */
async function begin(): Promise<void> {
  const { signal } = new AbortController();
  const isIdle = () => live.state.phase === "off" && photographs.state === undefined;
  const listed = await listing.until(
    () => listModels(models, signal),
    (failure, untilMs) => {
      if (isIdle()) show({ phase: "waiting", attempt: 1, untilMs, failure });
    },
    signal,
  );
  settings.offer(modelGroups(listed));
  // The rows stand before the first picture comes.
  if (isIdle()) scene.describe(defaultVersion(listed)?.actionUnits ?? []);
  if (isIdle() && shownFailure === undefined) show({ phase: "off" });
}

cameraButton.addEventListener("click", () => (canStart() ? startCamera() : live.stop()));
byId("welcome-camera", HTMLButtonElement).addEventListener("click", startCamera);
for (const id of ["open-photograph", "welcome-photograph", "failure-photograph"]) {
  byId(id, HTMLButtonElement).addEventListener("click", () => fileInput.click());
}
fileInput.addEventListener("change", () => {
  const file = fileInput.files?.[0];
  fileInput.value = "";
  if (file !== undefined) void openPhotograph(file);
});
takeFiles(
  document,
  (file) => void openPhotograph(file),
  (isOver) => {
    stage.dataset.drop = String(isOver);
  },
);
window.addEventListener("online", () => {
  live.retry();
  photographs.retry();
  listing.retry();
});
setInterval(() => {
  stage.dataset.late = String(stage.dataset.shows === "camera" && Date.now() - lastResultMs > LATE_MS);
  if (live.state.phase === "live" || live.state.phase === "going-away") metersView.live(account.meters(Date.now()));
}, METERS_EVERY_MS);

await begin();
