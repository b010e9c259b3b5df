import sharp from "sharp";

const COLUMNS = 3;
const CELL = { width: 640, height: 330 };
const GAP = 12;

/** Puts pictures into a grid on one dark sheet, as PNG. */
export async function contactSheet(pictures: readonly Buffer[]): Promise<Buffer> {
  const cells = await Promise.all(
    pictures.map((picture) =>
      sharp(picture)
        .resize({ ...CELL, fit: "contain", background: "#12161c" })
        .png()
        .toBuffer(),
    ),
  );
  const rows = Math.max(Math.ceil(cells.length / COLUMNS), 1);
  return sharp({
    create: {
      width: COLUMNS * (CELL.width + GAP) + GAP,
      height: rows * (CELL.height + GAP) + GAP,
      channels: 3,
      background: "#12161c",
    },
  })
    .composite(
      cells.map((input, i) => ({
        input,
        left: GAP + (i % COLUMNS) * (CELL.width + GAP),
        top: GAP + Math.floor(i / COLUMNS) * (CELL.height + GAP),
      })),
    )
    .png()
    .toBuffer();
}
