import { styleText } from "node:util";

/** Colours, where the terminal shows them. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  highlight(text: string): string;
}

type Format = Parameters<typeof styleText>[0];

/** Colours for a stream; plain for files and pipes, and when NO_COLOR is set. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  const paint = (format: Format) => (text: string) => styleText(format, text, { stream, validateStream: true });
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    good: paint("green"),
    bad: paint("red"),
    highlight: paint("yellow"),
  };
}
