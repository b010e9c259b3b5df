/** Bootstrap resamples when a request does not say how many. */
export const DEFAULT_RESAMPLES = 1000;
