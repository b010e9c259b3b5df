import { buildConsole } from "@duchenne/console/build";
import { provisionKernels, provisionTensorFlow } from "@duchenne/tensor/provision";
import { provisionFaceModels } from "@duchenne/vision/provision";
import { accelerator } from "./accelerator.ts";
import { step } from "./step.mjs";

/**
 * Brings what the product needs beside its packages: the face models, the live page, TensorFlow and the
 * fused kernels. Each part is skipped when it is there.
 *
 * @returns one line for each part that could not be had: what is missing, and what to install
 */
export async function provision(): Promise<string[]> {
  const problems: string[] = [];
  const say = (message: string): void => void process.stderr.write(`  ${message}\n`);
  const attempt = async (title: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await step(title, work);
    } catch (error) {
      if (!(error instanceof Error && "remedy" in error)) throw error;
      problems.push(error.message);
    }
  };
  await attempt("Face models", () => provisionFaceModels({ onProgress: say }));
  await attempt("Live page", () => buildConsole());
  await attempt("TensorFlow (training)", () => provisionTensorFlow({ accelerator, onProgress: say }));
  // Not with CUDA: on a GPU TensorFlow's own kernels run.
  if (accelerator === "cpu") {
    await attempt("Fused kernels (faster training)", () => provisionKernels({ onProgress: say }));
  }
  return problems;
}
