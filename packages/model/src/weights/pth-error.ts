/** Thrown when a file is not a PyTorch checkpoint that can be read: damaged, cut short, or of contradicting parts. */
export class InvalidPthError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_PTH";

  constructor(message: string) {
    super(message);
    this.name = "InvalidPthError";
  }
}

/** Thrown when a pickle asks for something that is not on the list of what a checkpoint needs; nothing of it was run. */
export class UnsafePickleError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNSAFE_PICKLE";
  readonly metadata: Readonly<Record<string, string>>;

  /** @param global what was asked for, such as "os.system" */
  constructor(global: string, message = `The pickle asks for "${printable(global)}", which no checkpoint needs`) {
    super(`${message}. Nothing of it was run. Save tensors, plain values and argparse.Namespace only.`);
    this.name = "UnsafePickleError";
    this.metadata = { global: printable(global) };
  }
}

/** Thrown for files of PyTorch before 1.6, or saved without the zip format. */
export class LegacyPthError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "LEGACY_PTH";

  constructor() {
    super(
      "The file is in PyTorch's old format without a zip. Save it again with PyTorch 1.6 or newer: " +
        'torch.save(torch.load("old.pth", map_location="cpu"), "new.pth")',
    );
    this.name = "LegacyPthError";
  }
}

/** A foreign text as an error may repeat it: short, and without control characters. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
  return text.slice(0, 120).replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
