/** What trainings are made from, checked before anything is started. Needs no TensorFlow. */
export { type DistilPlan, type DistilRecipe, distilRecipeSchema, planDistil } from "./distil-recipe.ts";
export {
  type ExpressionPlan,
  type ExpressionRecipe,
  expressionRecipeSchema,
  planExpression,
} from "./expression-recipe.ts";
export { type FineTunePlan, type FineTuneRecipe, fineTuneRecipeSchema, planFineTune } from "./fine-tune-recipe.ts";
export {
  type LinearProbePlan,
  type LinearProbeRecipe,
  linearProbeRecipeSchema,
  planLinearProbe,
} from "./linear-probe-recipe.ts";
export type { Precision } from "./optimization.ts";
export { isOfficial, type Parts, type SplitRecipe, subjectNames } from "./parts.ts";
export { type PretrainPlan, type PretrainRecipe, planPretrain, pretrainRecipeSchema } from "./pretrain-recipe.ts";
export { RecipeError } from "./recipe-error.ts";
export type { Partially } from "./with-defaults.ts";
