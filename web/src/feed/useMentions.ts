// Choosing whom a text mentions, from those who will read it, while the name is being written.
import { nextTick, onScopeDispose, ref } from "vue";
import { completed, labelFor, type Mentions, nameAt } from "./mentions";
import type { Page, Person } from "@/api/shapes";

const PAUSE_MS = 200;
type Field = HTMLInputElement | HTMLTextAreaElement;

export function useMentions(draft: { body: string; mentions: Mentions }, find: (words: string) => Promise<Page<Person>>) {
  const found = ref<Person[]>([]);
  let field: Field | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  function look(event: Event): void {
    field = event.target as Field;
    const words = nameAt(field.value, field.selectionStart ?? 0);
    clearTimeout(timer);
    const mine = ++turn;
    if (words === null) found.value = [];
    else timer = setTimeout(() => void ask(words, mine), PAUSE_MS);
  }

  async function ask(words: string, mine: number): Promise<void> {
    const page = await find(words).catch(() => null);
    if (mine === turn) found.value = page?.items.slice(0, 6) ?? [];
  }

  async function pick(person: Person): Promise<void> {
    if (!field) return;
    const label = labelFor(person, draft.mentions);
    const next = completed(draft.body, field.selectionStart ?? draft.body.length, label);
    turn++;
    [draft.body, draft.mentions, found.value] = [next.text, { ...draft.mentions, [label]: person.id }, []];
    await nextTick();
    field.focus();
    field.setSelectionRange(next.caret, next.caret);
  }

  onScopeDispose(() => clearTimeout(timer));
  return { found, look, pick };
}
