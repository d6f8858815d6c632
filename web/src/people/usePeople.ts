// The directory: a unit with what is below it and its members, or everybody whose name has some words.
import { computed, onScopeDispose, type Ref, ref, watch } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Page, Person, Unit } from "@/api/shapes";
import { useMe } from "@/store/me";

const PAUSE_MS = 250;
const PAGE = 50;

export function usePeople(unitId: Ref<string>, firstWords: string) {
  const me = useMe();
  const words = ref(firstWords);
  const people = ref<Person[]>([]);
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  const units = computed(() => me.units.filter((unit) => unit.tree === "admin"));
  const unit = computed(() => units.value.find((one) => one.id === unitId.value) ?? null);
  const path = computed(() => pathTo(units.value, unit.value));
  const below = computed(() => childrenOf(units.value, unit.value));

  watch([words, unitId], () => {
    clearTimeout(timer);
    [isLoaded.value, people.value, cursor.value] = [false, [], null];
    timer = setTimeout(() => void load(), words.value.trim() ? PAUSE_MS : 0);
  }, { immediate: true });
  onScopeDispose(() => clearTimeout(timer));

  async function load(from = ""): Promise<void> {
    const mine = ++turn;
    const text = words.value.trim();
    // Everybody at once is nobody's list: the top shows units until somebody is looked for.
    if (!text && !unitId.value) {
      [isLoaded.value, problem.value] = [true, null];
      return;
    }
    const place = new URLSearchParams({ limit: String(PAGE), ...(text ? { q: text } : { unit: unitId.value }), ...(from ? { cursor: from } : {}) });
    try {
      const page = await get<Page<Person>>(`/directory/people?${place}`);
      if (mine !== turn) return;
      people.value = from ? [...people.value, ...page.items] : page.items;
      [cursor.value, problem.value, isLoaded.value] = [page.next_cursor, null, true];
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    }
  }

  const more = (): Promise<void> => load(cursor.value ?? "");
  return { words, people, cursor, problem, isLoaded, unit, path, below, load: () => load(), more };
}

/** From the top down to a unit, the unit itself left out. */
export function pathTo(units: Unit[], unit: Unit | null): Unit[] {
  const parent = units.find((one) => one.id === unit?.parent_id);
  return parent ? [...pathTo(units, parent), parent] : [];
}

/** The units right below one; without one, those that have nothing above them. */
export function childrenOf(units: Unit[], unit: Unit | null): Unit[] {
  const known = new Set(units.map((one) => one.id));
  return units.filter((one) => (unit ? one.parent_id === unit.id : !one.parent_id || !known.has(one.parent_id)));
}
