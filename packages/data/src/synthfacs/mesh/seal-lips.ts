import { LOWER_LIP, UPPER_LIP } from "./landmark-loops.ts";

/**
 * Brings the lips' inner edges together, in place; the red of both lips follows.
 *
 * @param head [base vertices * 3]
 * @param share 0 leaves them as they are, 1 closes the mouth
 */
export function sealLips(head: Float32Array, share: number): void {
  if (share === 0) return;
  const last = UPPER_LIP.length - 1;
  for (let column = 1; column < UPPER_LIP[0]!.length - 1; column++) {
    const upper = 3 * UPPER_LIP[last]![column]!;
    const lower = 3 * LOWER_LIP[last]![column]!;
    const middle = [0, 1, 2].map((c) => 0.5 * (head[upper + c]! + head[lower + c]!));
    for (const lip of [UPPER_LIP, LOWER_LIP]) {
      const edge = 3 * lip[last]![column]!;
      const way = [0, 1, 2].map((c) => middle[c]! - head[edge + c]!);
      for (const [row, vertices] of lip.entries()) {
        const vertex = 3 * vertices[column]!;
        const follows = share * (row / last) ** 1.5;
        for (let c = 0; c < 3; c++) head[vertex + c] = head[vertex + c]! + follows * way[c]!;
      }
    }
  }
}
