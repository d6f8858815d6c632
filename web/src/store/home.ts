// The first screen's cards: shown from what is kept, fetched in one call, fetched again when the stream says they changed.
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { keep, recall } from "./db";
import { thisStay } from "./stay";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Figure, Home, StreamEvent } from "@/api/shapes";

const KEY = "home";
const PAUSE_MS = 250;
const MARKED_MS = 2_500;

/** Most readings find nothing new, and a screen that stands still costs a slow phone nothing. */
const isSame = (one: Home, other: Home | null): boolean => JSON.stringify(one) === JSON.stringify(other);

export const useHome = defineStore("home", () => {
  const home = shallowRef<Home | null>(null);
  const problem = ref<Problem | null>(null);
  const isBegun = ref(false);
  const isLoading = ref(false);
  /** Cards whose figure has just changed, to be marked for a moment. */
  const changed = ref<Set<string>>(new Set());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  let shown = 0;

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const kept = await recall<Home>(KEY);
    // The server may have answered while the shelf was looked through.
    if (isStill() && kept && !home.value) home.value = kept;
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    const mine = ++asked;
    [isBegun.value, isLoading.value] = [true, true];
    try {
      const fresh = await get<Home>("/home");
      // Two readings may overtake each other; the one asked for later is the newer.
      if (!isStill() || mine < shown) return;
      shown = mine;
      problem.value = null;
      if (isSame(fresh, home.value)) return;
      mark(home.value?.cards ?? [], fresh.cards);
      home.value = fresh;
      void keep(KEY, fresh);
    } catch (error) {
      if (isStill() && mine === asked) [problem.value, isBegun.value] = [asProblem(error), false];
    } finally {
      if (mine === asked) isLoading.value = false;
    }
  }

  function hear(event: StreamEvent): void {
    const isWaiting = event.kind.startsWith("erp_bridge.approval_") || event.kind === "erp_bridge.decision_moved";
    if (event.kind !== "roledata.cards_changed" && !isWaiting) return;
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), PAUSE_MS);
  }

  function mark(before: Figure[], after: Figure[]): void {
    const old = new Map(before.map((card) => [card.key, card.value]));
    const moved = after.filter((card) => old.has(card.key) && old.get(card.key) !== card.value).map((card) => card.key);
    if (!moved.length) return;
    changed.value = new Set(moved);
    setTimeout(() => (changed.value = new Set()), MARKED_MS);
  }

  const card = (key: string): Figure | undefined => home.value?.cards.find((one) => one.key === key);

  function clear(): void {
    clearTimeout(timer);
    [home.value, problem.value, isBegun.value, isLoading.value] = [null, null, false, false];
  }

  return { home, problem, isBegun, isLoading, changed, card, restore, refresh, hear, clear };
});
