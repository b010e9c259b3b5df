/**
 * What is run, fixed before the first whole run. An image costs ViT-Ti/16 at 224 pixels 50 ms of two quiet cores
 * (docs/benchmarks.md); at 96 pixels it has 37 tokens instead of 197, so that these three trainings of 32,400 images should
 * take five minutes each, and the pretraining as long.
 */
export const SETTINGS = {
  encoder: { variant: "tiny", imageSize: 96, patchSize: 16 },
  rendered: { seed: 7101, subjects: 600, framesPerSubject: 10, imageSize: 96, identityShortcut: 0 },
  /** Of the drawn people, so many are never trained on: they tell whether anything was learned at all. */
  heldOutSubjects: 60,
  portraits: { seed: 7102, framesPerSubject: 400, imageSize: 96, identityShortcut: 0 },
  /** On the drawn people who are trained on: from drawn weights the first run stood at chance after two epochs. */
  pretraining: { epochs: 20, warmupEpochs: 1, batchSize: 64, accumulationSteps: 1, baseLearningRate: 3e-3 },
  /** As wide as the encoder: the published 8 blocks of 512 would cost more than all trainings together. */
  decoder: { decoderDim: 192, decoderDepth: 2, decoderHeads: 3 },
  fineTune: { epochs: 6, warmupEpochs: 1, batchSize: 32, baseLearningRate: 8e-3, layerDecay: 0.75 },
  seed: 1,
  bootstrap: { resamples: 2000, seed: 1 },
} as const;

/** The same in a minute: it shows that everything works, and its figures mean nothing. */
export const QUICK_SETTINGS = {
  ...SETTINGS,
  rendered: { ...SETTINGS.rendered, subjects: 12, framesPerSubject: 6 },
  heldOutSubjects: 4,
  portraits: { ...SETTINGS.portraits, framesPerSubject: 4 },
  pretraining: { ...SETTINGS.pretraining, epochs: 2, batchSize: 16 },
  fineTune: { ...SETTINGS.fineTune, epochs: 2 },
};

/** How long and on what is trained. */
export type TransferSettings = typeof SETTINGS | typeof QUICK_SETTINGS;
