import { createRandom, type Random } from "../../random.ts";
import { createSyntheticFrame, NEUTRAL_FRAME, type SyntheticFrame } from "../frame.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import { settle } from "../settle.ts";
import { SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "../subject.ts";

/** What a sequence is. */
export interface SequenceOptions {
  readonly seed: number;
  /** Which sequence of this subject. */
  readonly index: number;
  readonly frames: number;
  readonly frameRateHz: number;
  /** Whether the subject speaks: lips and jaw open with syllables. */
  readonly speech: boolean;
}

/** An action unit that comes, stays and goes; times in seconds. */
interface Episode {
  readonly start: number;
  readonly onset: number;
  readonly apex: number;
  readonly offset: number;
  readonly intensity: number;
}

/** Syllables a second. */
const SYLLABLE_RATE_HZ = 4.5;

/**
 * Draws a sequence of frames: action units have onset, apex and offset and are at their apex about as often as in single
 * frames; the eyes blink (as a short 43, which FACS numbers 45); head and gaze drift; light and camera stay.
 */
export function createSyntheticSequence(subject: SyntheticSubject, options: SequenceOptions): SyntheticFrame[] {
  const { seed, index, frames, frameRateHz, speech } = options;
  const random = createRandom([seed, "synthfacs-sequence", subject.name, index]);
  const seconds = frames / frameRateHz;
  const episodes = new Map(
    SYNTHFACS_ACTION_UNITS.map((number, i) => [number, drawEpisodes(random, subject.baseRates[i]!, seconds)]),
  );
  const blinks = drawBlinks(random, seconds);
  const syllables = Array.from({ length: Math.ceil(seconds * SYLLABLE_RATE_HZ) + 1 }, () => random.uniform());
  const drifts = [12, 6, 4, 5, 3].map((reach) => drawDrift(random, reach));
  const [yaw, pitch, roll, gazeLeft, gazeUp] = drifts as [Drift, Drift, Drift, Drift, Drift];
  const { light, noise, blur } = createSyntheticFrame(seed, subject, index);
  return Array.from({ length: frames }, (_, f) => {
    const time = f / frameRateHz;
    const drawn = new Map([...episodes].map(([number, each]) => [number, greatest(each, time)]));
    drawn.set(43, Math.max(drawn.get(43)!, greatest(blinks, time)));
    if (speech) {
      const place = time * SYLLABLE_RATE_HZ;
      const open = syllables[Math.floor(place)]! * Math.sin(Math.PI * (place % 1)) ** 2;
      drawn.set(25, Math.max(drawn.get(25)!, 4 * open));
      drawn.set(26, Math.max(drawn.get(26)!, 2.5 * open));
    }
    settle(drawn);
    // Two decimals: what is drawn is exactly what is said.
    const intensities = SYNTHFACS_ACTION_UNITS.map((number) => Math.round(drawn.get(number)! * 100) / 100);
    return {
      ...NEUTRAL_FRAME,
      intensities,
      left: intensities,
      right: intensities,
      yaw: yaw(time),
      pitch: pitch(time),
      roll: roll(time),
      gaze: [gazeLeft(time), gazeUp(time)],
      light,
      noise,
      blur,
    };
  });
}

/** Episodes of one action unit, so far apart that it is there for `share` of the time. */
function drawEpisodes(random: Random, share: number, seconds: number): Episode[] {
  const episodes: Episode[] = [];
  // Begins somewhere between two episodes.
  let free = -random.uniform() * 2;
  while (free < seconds) {
    const onset = 0.2 + 0.4 * random.uniform();
    const apex = 0.4 + 1.4 * random.uniform();
    const offset = 0.3 + 0.7 * random.uniform();
    const length = onset + apex + offset;
    const gap = (2 * random.uniform() * (apex + 0.5 * (onset + offset)) * (1 - share)) / share;
    const start = free + gap;
    episodes.push({ start, onset, apex, offset, intensity: 2 + 3 * random.uniform() });
    free = start + length;
  }
  return episodes;
}

function drawBlinks(random: Random, seconds: number): Episode[] {
  const blinks: Episode[] = [];
  for (let start = 1 + 3 * random.uniform(); start < seconds; start += 2 + 4 * random.uniform()) {
    blinks.push({ start, onset: 0.1, apex: 0.06, offset: 0.16, intensity: 5 });
  }
  return blinks;
}

function greatest(episodes: readonly Episode[], time: number): number {
  return episodes.reduce((most, { start, onset, apex, offset, intensity }) => {
    const rise = smoothstep(start, start + onset, time);
    const fall = 1 - smoothstep(start + onset + apex, start + onset + apex + offset, time);
    return Math.max(most, intensity * Math.min(rise, fall));
  }, 0);
}

type Drift = (time: number) => number;

/** A slow movement to and fro, at most `reach` degrees. */
function drawDrift(random: Random, reach: number): Drift {
  const waves = [0.5, 0.3, 0.2].map((share) => ({
    share,
    frequencyHz: 0.05 + 0.3 * random.uniform(),
    phase: 2 * Math.PI * random.uniform(),
  }));
  return (time) =>
    reach *
    waves.reduce(
      (sum, { share, frequencyHz, phase }) => sum + share * Math.sin(2 * Math.PI * frequencyHz * time + phase),
      0,
    );
}
