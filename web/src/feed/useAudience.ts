// Picking an audience: the tree of units, people by name, and how many persons it reaches, asked as picks change.
import { computed, type Ref, ref, watch } from "vue";
import { get, post } from "@/api/call";
import type { AudiencePick, Colleague, Page, Person, Unit } from "@/api/shapes";
import { useMe } from "@/store/me";

const PAUSE_MS = 250;

export function useAudience(picks: Ref<AudiencePick[]>, counted: (people: number | null) => void) {
  const me = useMe();
  const words = ref("");
  const people = ref<Person[]>([]);
  const reached = ref<number | null>(null);
  const names = ref<Record<string, string>>({});
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: ReturnType<typeof setTimeout> | undefined;

  const units = computed(() => {
    const tree = withDepth(me.units.filter((unit) => unit.tree === "admin"));
    return words.value.trim() ? tree.filter((row) => row.unit.name.includes(words.value.trim())).map((row) => ({ ...row, depth: 0 })) : tree;
  });

  watch(words, (text) => {
    clearTimeout(timer);
    people.value = [];
    if (text.trim()) timer = setTimeout(() => void search(text.trim()), PAUSE_MS);
  });
  watch(picks, () => {
    clearTimeout(asking);
    reached.value = null;
    counted(null);
    for (const pick of picks.value) if (pick.kind === "person" && pick.id && !names.value[pick.id]) void learnName(pick.id);
    if (picks.value.length) asking = setTimeout(() => void askCount(), PAUSE_MS);
  }, { immediate: true, deep: true });

  async function search(text: string): Promise<void> {
    const found = await get<Page<Person>>(`/directory/people?limit=20&q=${encodeURIComponent(text)}`).catch(() => null);
    if (found && text === words.value.trim()) people.value = found.items;
  }

  /** Picked on another screen, or before a reload. */
  async function learnName(id: string): Promise<void> {
    names.value[id] = "…";
    const found = await get<Colleague>(`/directory/people/${id}`).catch(() => null);
    if (found) names.value[id] = found.name;
    else delete names.value[id];
  }

  async function askCount(): Promise<void> {
    const asked = picks.value;
    const found = await post<{ people: number }>("/directory/audience-count", { scopes: asked }).catch(() => null);
    if (asked !== picks.value) return;
    reached.value = found?.people ?? null;
    counted(reached.value);
  }

  const isPicked = (kind: AudiencePick["kind"], id: string): boolean => picks.value.some((pick) => pick.kind === kind && pick.id === id);

  function toggle(kind: "unit" | "person", id: string, name?: string): void {
    if (name) names.value[id] = name;
    if (isPicked(kind, id)) picks.value = picks.value.filter((pick) => pick.id !== id);
    else picks.value = [...picks.value, kind === "unit" ? { kind, id, include_below: true } : { kind, id }];
  }

  const nameOf = (pick: AudiencePick): string => me.units.find((unit) => unit.id === pick.id)?.name ?? names.value[pick.id ?? ""] ?? "…";

  return { words, units, people, reached, nameOf, toggle, isPicked };
}

/** Parents before children, each with how deep it lies. */
export function withDepth(units: Unit[]): { unit: Unit; depth: number }[] {
  const below = new Map<string | null, Unit[]>();
  const known = new Set(units.map((unit) => unit.id));
  for (const unit of units) {
    const parent = unit.parent_id && known.has(unit.parent_id) ? unit.parent_id : null;
    below.set(parent, [...(below.get(parent) ?? []), unit]);
  }
  const walk = (parent: string | null, depth: number): { unit: Unit; depth: number }[] =>
    (below.get(parent) ?? []).flatMap((unit) => [{ unit, depth }, ...walk(unit.id, depth + 1)]);
  return walk(null, 0);
}
