import { provisionFaceModels } from "@duchenne/vision/provision";
import { step } from "./step.mjs";

/**
 * Brings what the product needs beside its packages: the face models. Each part is skipped when it is there.
 *
 * @returns one line for each part that could not be had: what is missing, and what to install
 */
export async function provision(): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (title: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await step(title, work);
    } catch (error) {
      if (!(error instanceof Error && "remedy" in error)) throw error;
      problems.push(error.message);
    }
  };
  await attempt("Face models", () => provisionFaceModels());
  return problems;
}
