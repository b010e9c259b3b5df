/**
 * What is run, fixed before the first whole run. An image costs ViT-Ti/16 at 224 pixels 45 ms of two quiet cores
 * (docs/benchmarks.md); at 96 pixels in patches of 12 it has 65 tokens instead of 197, so that these four trainings of
 * 43,200 images should take about ten minutes each.
 */
export const SETTINGS = {
  encoder: { variant: "tiny", imageSize: 96, patchSize: 12 },
  rendered: { seed: 7101, subjects: 600, framesPerSubject: 10, imageSize: 96, identityShortcut: 0 },
  /** Of the drawn people, so many are never trained on: they tell whether anything was learned at all. */
  heldOutSubjects: 60,
  portraits: { seed: 7102, framesPerSubject: 400, imageSize: 96, identityShortcut: 0 },
  fineTune: {
    epochs: 8,
    warmupEpochs: 1,
    batchSize: 32,
    /** 5e-4 at this batch: weights are drawn, all layers learn alike. */
    baseLearningRate: 4e-3,
    layerDecay: 1,
  },
  /** Of the first half; the second has the next one. */
  seed: 1,
  bootstrap: { resamples: 2000, seed: 1 },
} as const;

/** The same in a minute: it shows that everything works, and its figures mean nothing. */
export const QUICK_SETTINGS = {
  ...SETTINGS,
  rendered: { ...SETTINGS.rendered, subjects: 12, framesPerSubject: 6 },
  heldOutSubjects: 4,
  portraits: { ...SETTINGS.portraits, framesPerSubject: 4 },
  fineTune: { ...SETTINGS.fineTune, epochs: 2 },
};

/** How long and on what is trained. */
export type TransferSettings = typeof SETTINGS | typeof QUICK_SETTINGS;
