/** What trainings are made from, checked before anything is started. Needs no TensorFlow. */
export {
  type FineTunePlan,
  type FineTuneRecipe,
  fineTuneRecipeSchema,
  planFineTune,
} from "./fine-tune-recipe.ts";
export {
  type LinearProbePlan,
  type LinearProbeRecipe,
  linearProbeRecipeSchema,
  planLinearProbe,
} from "./linear-probe-recipe.ts";
export { RecipeError } from "./recipe-error.ts";
