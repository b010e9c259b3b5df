/** A mark around a place, as the path of an SVG; `r` is about half its width. */
type Shape = (x: number, y: number, r: number) => string;

const n = (value: number): string => String(Number(value.toFixed(1)));

/** Marks that are told apart without colour. */
const SHAPES: readonly Shape[] = [
  (x, y, r) => `M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0z`,
  (x, y, r) => polygon(x, y, 0.9 * r, [-1, -1], [1, -1], [1, 1], [-1, 1]),
  (x, y, r) => polygon(x, y, 1.2 * r, [0, -1], [1, 0.75], [-1, 0.75]),
  (x, y, r) => polygon(x, y, 1.25 * r, [0, -1], [1, 0], [0, 1], [-1, 0]),
  (x, y, r) => polygon(x, y, 1.2 * r, [0, 1], [1, -0.75], [-1, -0.75]),
  (x, y, r) =>
    polygon(
      ...[x, y, 1.2 * r],
      ...([
        [-1, -0.35],
        [-0.35, -0.35],
        [-0.35, -1],
        [0.35, -1],
        [0.35, -0.35],
        [1, -0.35],
      ] as const),
      ...([
        [1, 0.35],
        [0.35, 0.35],
        [0.35, 1],
        [-0.35, 1],
        [-0.35, 0.35],
        [-1, 0.35],
      ] as const),
    ),
];

function polygon(x: number, y: number, scale: number, ...corners: readonly (readonly [number, number])[]): string {
  return `M${corners.map(([dx, dy]) => `${n(x + scale * dx)} ${n(y + scale * dy)}`).join("L")}z`;
}

const HUES = 10;

/** The colour of the i-th of many kinds: neighbours in the list are far in hue, and it shows on white and on black. */
export function markColour(i: number): string {
  const place = (3 * i) % HUES;
  return `oklch(${place % 2 === 0 ? 0.62 : 0.72} 0.16 ${20 + place * (360 / HUES)})`;
}

/** The mark of the i-th of many kinds: 60 have one of their own, by colour and shape. */
export function markPath(i: number, x: number, y: number, r: number): string {
  return SHAPES[Math.floor(i / HUES) % SHAPES.length]!(x, y, r);
}
