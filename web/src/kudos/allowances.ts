// What I may still give to others this month, by unit; whoever has nothing to give is not asked to.
import { computed } from "vue";
import type { KudosAllowance } from "@/api/shapes";
import { useReading } from "@/store/reading";

/** What I gave is known to have arrived when my packet's shares are taken. */
const MOVED = ["redpackets.share_taken", "redpackets.budget_changed"];

export function useAllowances() {
  const { found, problem, load } = useReading<{ items: KudosAllowance[] }>("/kudos/allowance", (event) => MOVED.includes(event.kind));
  const allowances = computed(() => found.value?.items ?? []);
  return { allowances, isLoaded: computed(() => found.value !== null), problem, load };
}
