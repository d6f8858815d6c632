// The ERP documents behind a figure, a page at a time; read again with the figure when the stream says it changed.
import { onScopeDispose, ref, shallowRef, watch } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { ErpDocument, Page } from "@/api/shapes";
import { onEvents } from "@/store/presence";

const PAGE = 10;
const PAGE_MAX = 100;

export type Figured = { cardKey: string; period: string; scope: string | null };

export function useDocumentList(figured: Figured) {
  const documents = shallowRef<ErpDocument[]>([]);
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  let latest = 0;

  async function load(next: string | null, limit = PAGE): Promise<void> {
    const turn = ++latest;
    const asked = new URLSearchParams({ period: figured.period, limit: String(limit) });
    if (figured.scope) asked.set("scope", figured.scope);
    if (next) asked.set("cursor", next);
    try {
      const page = await get<Page<ErpDocument>>(`/cards/${figured.cardKey}/documents?${asked}`);
      if (turn !== latest) return;
      documents.value = next ? [...documents.value, ...page.items] : page.items;
      [cursor.value, problem.value, isLoaded.value] = [page.next_cursor, null, true];
    } catch (error) {
      if (turn === latest) problem.value = asProblem(error);
    }
  }

  const begin = (): Promise<void> => load(null);
  const more = (): Promise<void> => load(cursor.value);
  /** As many as are on the screen, which stay there meanwhile. */
  const reread = (): Promise<void> => load(null, Math.min(Math.max(documents.value.length, PAGE), PAGE_MAX));

  watch(
    () => [figured.cardKey, figured.period, figured.scope],
    () => {
      [cursor.value, problem.value, isLoaded.value] = [null, null, false];
      void begin();
    },
    { immediate: true },
  );
  onScopeDispose(
    onEvents((event) => {
      const cards = event.data.cards as string[] | undefined;
      if (event.kind === "roledata.cards_changed" && (!cards || cards.includes(figured.cardKey))) void reread();
    }, reread),
  );
  return { documents, cursor, problem, isLoaded, begin, more };
}
