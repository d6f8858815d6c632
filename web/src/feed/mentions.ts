// Mentions: "@name" while one writes, "@[name](person:id)" on the wire.

/** By the name that stands in the text: whom it means. */
export type Mentions = Record<string, string>;

const MARKUP = /@\[([^\]\n]{1,100})\]\(person:([0-9a-f-]{36})\)/g;
const BEING_WRITTEN = /(?:^|[^\p{L}\p{N}])@([^\s@[\]()]{0,20})$/u;

/** What stands behind the last "@" before the caret, while a name is being written; null otherwise. */
export const nameAt = (text: string, caret: number): string | null => BEING_WRITTEN.exec(text.slice(0, caret))?.[1] ?? null;

/** A name for the text that means one person only. */
export function labelFor(person: { id: string; name: string; login: string }, known: Mentions): string {
  const name = person.name.replace(/[[\]\n]/g, "").slice(0, 80);
  return known[name] && known[name] !== person.id ? `${name}(${person.login.slice(0, 15)})` : name;
}

/** The text with a person in the place of the name that was being written, and where the caret goes. */
export function completed(text: string, caret: number, label: string): { text: string; caret: number } {
  const begun = nameAt(text, caret) ?? "";
  const before = `${text.slice(0, caret - begun.length)}${label} `;
  return { text: before + text.slice(caret), caret: before.length };
}

/** As the server reads it. */
export function marked(text: string, mentions: Mentions): string {
  const labels = Object.keys(mentions).sort((a, b) => b.length - a.length);
  if (!labels.length) return text;
  const written = new RegExp(`@(${labels.map(escaped).join("|")})(?![A-Za-z0-9_])`, "g");
  return text.replace(written, (_all, label: string) => `@[${label}](person:${mentions[label]})`);
}

/** As one writes and reads it. */
export function unmarked(text: string): { body: string; mentions: Mentions } {
  const mentions: Mentions = {};
  const body = text.replace(MARKUP, (_all, label: string, id: string) => {
    mentions[label] = id;
    return `@${label}`;
  });
  return { body, mentions };
}

const escaped = (label: string): string => label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
