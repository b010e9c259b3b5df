/** The trainer: trainings and data sets as jobs. */
export { type TrainerConfig, trainerShape } from "./config.ts";
export { createTrainer } from "./create-trainer.ts";
