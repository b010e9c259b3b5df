/**
 * Takes files that are dropped on the page or pasted into it.
 *
 * @param onOver told whether something that can be dropped is held over the page
 */
export function takeFiles(page: Document, onFile: (file: File) => void, onOver: (isOver: boolean) => void): void {
  const holdsFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  page.addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    onOver(true);
  });
  page.addEventListener("dragleave", (event) => {
    // It also leaves one element for the next; without a next it has left the page.
    if (event.relatedTarget === null) onOver(false);
  });
  page.addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    onOver(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  });
  page.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file !== undefined) onFile(file);
  });
}
