// `npm run setup`: brings everything that the product needs, and says what is missing.
import { provision } from "./provision-parts.ts";

const problems = await provision();
for (const problem of problems) process.stderr.write(`✗ ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
