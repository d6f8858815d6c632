// What of rewards waits for my decision beside packets: payouts to release and restated figures; counted at the start, moved by the stream.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { useMe } from "./me";
import { thisStay } from "./stay";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { KpiProposal, Page, Payout, StreamEvent } from "@/api/shapes";

const NEWEST = 50;
const PAUSE_MS = 250;
const KINDS = ["redpackets.payout_changed", "redpackets.figure_restated", "redpackets.restatement_decided"];

export const useDeciding = defineStore("deciding", () => {
  const payouts = ref<Payout[]>([]);
  const proposals = ref<KpiProposal[]>([]);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  const me = useMe();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest = 0;

  const pays = computed(() => me.may("redpackets.payout"));
  const approves = computed(() => me.may("redpackets.approve"));
  const mayDecide = computed(() => pays.value || approves.value);

  async function begin(): Promise<void> {
    if (mayDecide.value && !isLoaded.value) await refresh();
  }

  async function refresh(): Promise<void> {
    const [mine, isStill] = [++latest, thisStay()];
    const isNewest = (): boolean => mine === latest && isStill();
    try {
      const [prepared, restated] = await Promise.all([
        pays.value ? get<Page<Payout>>(`/payouts?limit=${NEWEST}`) : null,
        approves.value ? get<Page<KpiProposal>>(`/kpi-proposals?state=open&limit=${NEWEST}`) : null,
      ]);
      if (!isNewest()) return;
      // What I made myself waits for others.
      payouts.value = (prepared?.items ?? []).filter((one) => one.state === "pending_approval" && one.created_by !== me.id);
      proposals.value = (restated?.items ?? []).filter((one) => one.owner.id !== me.id);
      [isLoaded.value, problem.value] = [true, null];
    } catch (error) {
      if (isNewest()) problem.value = asProblem(error);
    }
  }

  function hear(event: StreamEvent): void {
    if (!KINDS.includes(event.kind) || !mayDecide.value) return;
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), PAUSE_MS);
  }

  function clear(): void {
    clearTimeout(timer);
    [payouts.value, proposals.value, problem.value, isLoaded.value] = [[], [], null, false];
  }

  return { payouts, proposals, problem, isLoaded, mayDecide, begin, refresh, hear, clear };
});
