import type { MessageInitShape } from "@bufbuild/protobuf";
import { FramePolicy, type ResolvedModel, type StreamConfigurationSchema } from "@duchenne/proto";
import { type ModelGroup, versionInWords } from "../models/model-choices.ts";
import { SMOOTHING_CHOICES } from "../settings/smoothing-choices.ts";
import { byId, make, write } from "./elements.ts";

/** The form of what a session is opened with. */
export interface SettingsView {
  /** As StreamConfiguration.model takes it. */
  readonly model: string;
  readonly isMirrored: boolean;
  readonly showsLandmarks: boolean;
  configuration(): MessageInitShape<typeof StreamConfigurationSchema>;
  /** The models that there are; keeps what is chosen. */
  offer(groups: readonly ModelGroup[]): void;
  /** What answers now, and what its callers should know. */
  resolved(model: ResolvedModel, warnings: readonly string[]): void;
}

/** Makes it from the page's elements. @param onSession told when sessions have to be opened otherwise */
export function createSettingsView(onSession: () => void, onMirror: () => void): SettingsView {
  const model = byId("model", HTMLSelectElement);
  const smoothing = byId("smoothing", HTMLSelectElement);
  const mirror = byId("mirror", HTMLInputElement);
  const landmarks = byId("landmarks", HTMLInputElement);
  const note = byId("model-note", HTMLElement);
  const warningList = byId("warnings", HTMLUListElement);
  const byDefault = model.options[0]!;
  let offered = "";

  smoothing.append(...[...SMOOTHING_CHOICES].map(([value, { label }]) => make("option", { value }, [label])));
  for (const input of [model, smoothing, landmarks]) input.addEventListener("change", onSession);
  mirror.addEventListener("change", onMirror);

  return {
    get model() {
      return model.value;
    },
    get isMirrored() {
      return mirror.checked;
    },
    get showsLandmarks() {
      return landmarks.checked;
    },
    configuration() {
      const chosen = SMOOTHING_CHOICES.get(smoothing.value)?.smoothing;
      return {
        model: model.value,
        policy: FramePolicy.LATEST_WINS,
        outputs: { landmarks: landmarks.checked, headPose: true, quality: true },
        ...(chosen && { smoothing: chosen }),
      };
    },
    offer(groups) {
      const wanted = JSON.stringify(groups);
      if (wanted === offered) return;
      offered = wanted;
      const { value } = model;
      model.replaceChildren(
        byDefault,
        ...groups.map(({ label, choices }) =>
          make(
            "optgroup",
            { label },
            choices.map((choice) => make("option", { value: choice.value }, [choice.label])),
          ),
        ),
      );
      const isThere = [...model.options].some((option) => option.value === value);
      // What was chosen stays, also when it was deleted: the page does not change models by itself.
      if (!isThere) model.append(make("option", { value }, [`${value} (not listed)`]));
      model.value = value;
    },
    resolved({ name, alias, description }, warnings) {
      write(note, `${versionInWords(name)}${alias === "" ? "" : ` through ${alias}`}. ${description}`);
      warningList.replaceChildren(...warnings.map((warning) => make("li", {}, [warning])));
    },
  };
}
