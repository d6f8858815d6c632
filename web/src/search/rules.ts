// Pure decisions about searching.

export const RECENT_MAX = 8;

/** The latest first, each once, a few in all. */
export function remembered(recent: string[], words: string): string[] {
  const text = words.trim();
  return text ? [text, ...recent.filter((other) => other !== text)].slice(0, RECENT_MAX) : recent;
}
