/** The text, cut so that its UTF-8 form has at most `maxBytes` bytes; a cut text ends with "...". Always well formed. */
export function cutToBytes(text: string, maxBytes: number): string {
  const wellFormed = text.toWellFormed();
  if (Buffer.byteLength(wellFormed) <= maxBytes) return wellFormed;
  const room = Buffer.from(wellFormed).subarray(0, maxBytes - 3);
  // A character cut in two decodes to U+FFFD at the end.
  return `${room.toString().replace(/\uFFFD+$/, "")}...`;
}
