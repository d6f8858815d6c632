// A card's figure and its parts, for a period, a scope and a comparison; read again when the stream says it changed.
import { onScopeDispose, ref, shallowRef } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Breakdown, Figure } from "@/api/shapes";
import { keep, recall } from "@/store/db";
import { useHome } from "@/store/home";
import { onEvents } from "@/store/presence";

export function useCard(key: string, firstScope: string | null) {
  const period = ref<"mtd" | "qtd" | "ytd">("mtd");
  const compare = ref<"last_year" | "previous">("last_year");
  const by = ref<"units" | "people">("units");
  const scope = ref<string | null>(firstScope);
  const card = shallowRef<Figure | null>(firstScope ? null : (useHome().card(key) ?? null));
  const rows = shallowRef<Breakdown["rows"]>([]);
  const problem = ref<Problem | null>(null);
  const isLoading = ref(false);
  let latest = 0;
  let isFirst = true;

  async function load(): Promise<void> {
    const turn = ++latest;
    const place = new URLSearchParams({ period: period.value, ...(scope.value ? { scope: scope.value } : {}) });
    const shelf = `card:${key}?${place}`;
    isLoading.value = true;
    try {
      const [figure, below] = await Promise.all([read(place), breakDown(place)]);
      if (turn !== latest) return;
      [card.value, rows.value, problem.value] = [figure, below, null];
      void keep(shelf, { figure, below });
      // Where there are no units below, the people are what can be looked into.
      if (isFirst && by.value === "units" && below.length && below.every((row) => row.id === null)) by.value = "people";
      isFirst = false;
    } catch (error) {
      await fallBack(turn, shelf, asProblem(error));
    } finally {
      if (turn === latest) isLoading.value = false;
    }
  }

  async function read(place: URLSearchParams): Promise<Figure> {
    try {
      return await get<Figure>(`/cards/${key}?${place}&compare=${compare.value}`);
    } catch (error) {
      // Not every card can be compared.
      if (asProblem(error).status !== 422) throw error;
      return get<Figure>(`/cards/${key}?${place}`);
    }
  }

  /** Not every card can be cut. */
  async function breakDown(place: URLSearchParams): Promise<Breakdown["rows"]> {
    try {
      return (await get<Breakdown>(`/cards/${key}/breakdown?${place}&by=${by.value}`)).rows;
    } catch (error) {
      if (asProblem(error).isPassing) throw error;
      return [];
    }
  }

  async function fallBack(turn: number, shelf: string, found: Problem): Promise<void> {
    const kept = found.isOffline ? await recall<{ figure: Figure; below: Breakdown["rows"] }>(shelf) : undefined;
    if (turn !== latest) return;
    problem.value = found;
    if (kept) [card.value, rows.value] = [kept.figure, kept.below];
    else if (!found.isOffline) card.value = null;
  }

  onScopeDispose(
    onEvents((event) => {
      const cards = event.data.cards as string[] | undefined;
      if (event.kind === "roledata.cards_changed" && (!cards || cards.includes(key))) void load();
    }, load),
  );
  return { period, compare, scope, by, card, rows, problem, isLoading, load };
}
