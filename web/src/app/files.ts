// A file that the server gave, into the phone's downloads.

/** Some browsers begin to read it only after a while. */
const PATIENCE_MS = 10_000;

export function saveFile(file: Blob, name: string): void {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  // Some follow only a link that is on the page.
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), PATIENCE_MS);
}
