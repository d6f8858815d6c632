// A packet being prepared: kept as a draft with its Idempotency-Key, so that sending it twice sends it once.
import { computed, ref, watch } from "vue";
import { momentOf, SHARES_MAX, toMinor } from "./rules";
import { pay } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem, type Problem } from "@/api/problem";
import type { AudiencePick, Packet } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { usePackets } from "@/store/packets";

type Draft = { key: string; kind: "lucky" | "equal"; budgetId: string; total: string; count: string; audience: AudiencePick[]; category: string; purpose: string; greeting: string; cover: string; opensAt: string; expiresAt: string };

export function useSend() {
  const packets = usePackets();
  const empty = (): Draft => ({ key: newId(), kind: "lucky", budgetId: "", total: "", count: "", audience: [], category: "thanks", purpose: "", greeting: "", cover: "", opensAt: "", expiresAt: "" });
  const { draft, isRestored, discard } = useDraft<Draft>("packet", empty);
  const problem = ref<Problem | null>(null);
  const isLoading = ref(true);
  const isSending = ref(false);

  const usable = computed(() => packets.budgets.filter((budget) => budget.available_minor > 0 && !budget.give_only && !budget.closed_at));
  const budget = computed(() => usable.value.find((one) => one.id === draft.budgetId));
  const totalMinor = computed(() => toMinor(draft.total, budget.value?.unit));
  const shares = computed(() => (/^\d{1,5}$/.test(draft.count.trim()) ? Number(draft.count) : null));
  const isOver = computed(() => totalMinor.value !== null && budget.value !== undefined && totalMinor.value > budget.value.available_minor);
  const sharesFit = computed(() => shares.value !== null && shares.value >= 1 && shares.value <= SHARES_MAX && (totalMinor.value ?? 0) >= shares.value);
  const canSend = computed(() => Boolean(budget.value && totalMinor.value && !isOver.value && sharesFit.value && draft.audience.length && draft.purpose.trim()));

  async function load(): Promise<void> {
    isLoading.value = true;
    try {
      await Promise.all([packets.readBudgets(), isRestored]);
      if (!budget.value && usable.value[0]) draft.budgetId = usable.value[0].id;
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      isLoading.value = false;
    }
  }

  watch(budget, (chosen) => {
    if (chosen && !draft.audience.length) draft.audience = [{ kind: "unit", id: chosen.unit_id, include_below: true }];
  });
  // Another packet is another payment: what is changed after a refusal goes out under a key of its own.
  watch(() => [draft.kind, draft.budgetId, draft.total, draft.count, JSON.stringify(draft.audience), draft.category, draft.purpose, draft.greeting, draft.cover, draft.opensAt, draft.expiresAt], () => {
    if (problem.value && !problem.value.isPassing) draft.key = newId();
  });

  async function send(): Promise<Packet | null> {
    const from = budget.value;
    if (!from || !canSend.value) return null;
    isSending.value = true;
    try {
      const packet = await pay<Packet>("/red-packets", body(from.unit, from.unit_id), draft.key);
      packets.put(packet);
      await discard();
      return packet;
    } catch (error) {
      problem.value = asProblem(error);
      return null;
    } finally {
      isSending.value = false;
    }
  }

  const body = (unit: string, unitId: string): object => ({
    kind: draft.kind,
    unit,
    total_minor: totalMinor.value,
    count: shares.value,
    budget_id: draft.budgetId,
    on_behalf_of: unitId,
    audience: { scopes: draft.audience },
    purpose: { category: draft.category, text: draft.purpose.trim() },
    greeting: draft.greeting.trim(),
    cover: draft.cover,
    opens_at: momentOf(draft.opensAt),
    expires_at: momentOf(draft.expiresAt),
  });

  return { draft, usable, budget, totalMinor, shares, isOver, sharesFit, canSend, isLoading, isSending, problem, load, send };
}
