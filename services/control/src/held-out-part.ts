import type { Dataset } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";

/** True when the card's training held a part of this data set out. @param digest the data set's */
export function isHeldOutKnown(card: ModelCard | undefined, digest: string): card is ModelCard {
  return (
    card !== undefined &&
    card.dataset?.digest === digest &&
    (card.split.isOfficial || card.split.testSubjects.length > 0)
  );
}

/** Which frames of a data set a card's training held out, where that is known: its official test part, or its test subjects. */
export function heldOutFrames({ samples }: Dataset, { split }: ModelCard): (index: number) => boolean {
  if (split.isOfficial) return (index) => samples[index]!.partition === "test";
  const heldOut = new Set(split.testSubjects);
  return (index) => heldOut.has(samples[index]!.subject);
}
