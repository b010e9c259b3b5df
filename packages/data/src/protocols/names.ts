/** The words of a text: long lists of names stay readable. */
export function names(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
