/**
 * What is run, fixed before the first run on these faces. Lengths, learning rate and lambda were chosen on faces of other
 * seeds (docs/experiments.md tells what was tried there).
 */
export const SETTINGS = {
  /** Pretraining looks at people whom nothing else looks at; their labels are not used. */
  unlabelled: { seed: 7001, subjects: 600, framesPerSubject: 8, imageSize: 96, identityShortcut: 0 },
  /** How often an action unit occurs is strongly a matter of who it is. */
  labelled: { seed: 7002, subjects: 600, framesPerSubject: 20, imageSize: 96, identityShortcut: 0.5 },
  encoder: { variant: "micro", imageSize: 96, patchSize: 12 },
  pretraining: { epochs: 60, warmupEpochs: 2, batchSize: 64, accumulationSteps: 1, baseLearningRate: 3e-3 },
  fineTune: {
    epochs: 12,
    warmupEpochs: 2,
    batchSize: 32,
    baseLearningRate: 3e-2,
    layerDecay: 0.5,
    gradientNormsEverySteps: 25,
  },
  /** Of the reversed gradient. */
  lambda: 0.05,
  identityLoss: "ce",
  /** Seeds of the people on whom settings are chosen. */
  rehearsal: { unlabelled: 900, labelled: 901 },
  /** Seed k tests on fold k: every subject is held out once. */
  seeds: [1, 2, 3],
  /** Layers of the identity probes. */
  probes: [1, 2],
  /** Few large steps: a probe's features are computed once, and a small step is little but overhead. */
  probe: { epochs: 100, warmupEpochs: 10, batchSize: 512, baseLearningRate: 0.0125 },
  /** Shares of the training part's frames that have labels; each is shown as often as `epochs` of all would be. */
  fewLabels: { shares: [0.01, 0.05, 0.2, 1], epochs: 6 },
  /** Of the intervals. */
  bootstrap: { resamples: 1000, seed: 1 },
  /** What was to be reached. */
  goals: { macroAuc: 0.8, aucChange: -0.02, probeChange: -0.3 },
} as const;
