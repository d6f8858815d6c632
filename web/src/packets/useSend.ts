// A packet being prepared: kept as a draft with its Idempotency-Key, so that sending it twice sends it once.
import { computed, ref, watch } from "vue";
import { momentOf, SHARES_MAX, toMinor } from "./rules";
import { asProblem } from "@/api/problem";
import type { AudiencePick, Packet } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { usePackets } from "@/store/packets";
import { type Paid, unpaid, usePaying } from "@/store/paying";

type Draft = Paid & {
  kind: "lucky" | "equal";
  budgetId: string;
  total: string;
  count: string;
  audience: AudiencePick[];
  category: string;
  purpose: string;
  greeting: string;
  cover: string;
  showsClaims: boolean;
  opensAt: string;
  expiresAt: string;
};

const EMPTY: Omit<Draft, keyof Paid> = { kind: "lucky", budgetId: "", total: "", count: "", audience: [], category: "thanks", purpose: "", greeting: "", cover: "", showsClaims: false, opensAt: "", expiresAt: "" };

export function useSend() {
  const packets = usePackets();
  const { draft, isRestored, discard } = useDraft<Draft>("packet", () => ({ ...EMPTY, audience: [], ...unpaid() }));
  const { problem, isSending, gone, isUncertain, ask, another } = usePaying<Packet>("/red-packets", draft);
  const isLoading = ref(true);

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

  async function send(): Promise<Packet | null> {
    const from = budget.value;
    if (!from || !canSend.value || isSending.value) return null;
    const packet = (await ask(body(from.unit, from.unit_id))) as Packet | null;
    if (!packet) return null;
    packets.put(packet);
    await discard();
    return packet;
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
    shows_claims: draft.showsClaims,
    opens_at: momentOf(draft.opensAt),
    expires_at: momentOf(draft.expiresAt),
  });

  return { draft, usable, budget, totalMinor, shares, isOver, sharesFit, canSend, isLoading, isSending, isUncertain, gone, problem, load, send, another };
}
