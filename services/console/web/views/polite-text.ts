import { write } from "./elements.ts";

/** Writes a text that changes many times a second no more often than it can be read, and heard from a screen reader. */
export function createPoliteText(element: HTMLElement, everyMs: number): (text: string) => void {
  let latest = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    latest = text;
    if (timer !== undefined) return;
    write(element, latest);
    timer = setTimeout(() => {
      timer = undefined;
      write(element, latest);
    }, everyMs);
  };
}
