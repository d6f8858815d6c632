// A packet being prepared: kept as a draft with its Idempotency-Key, so that sending it twice sends it once.
import { computed, ref, toRaw, watch } from "vue";
import { momentOf, SHARES_MAX, toMinor } from "./rules";
import { pay } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem, type Problem } from "@/api/problem";
import type { AudiencePick, Packet } from "@/api/shapes";
import { saveDrafts, useDraft } from "@/store/drafts";
import { usePackets } from "@/store/packets";
import { thisStay } from "@/store/stay";

const TRIED_MAX = 10;

type Draft = {
  key: string;
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
/** What was asked for under the key and may have been carried out. */
type Tried = { tried: object[] };

const EMPTY: Omit<Draft, "key"> = { kind: "lucky", budgetId: "", total: "", count: "", audience: [], category: "thanks", purpose: "", greeting: "", cover: "", showsClaims: false, opensAt: "", expiresAt: "" };

export function useSend() {
  const packets = usePackets();
  const empty = (): Draft & Tried => ({ ...EMPTY, key: newId(), audience: [], tried: [] });
  const { draft, isRestored, discard } = useDraft<Draft & Tried>("packet", empty);
  const problem = ref<Problem | null>(null);
  const isLoading = ref(true);
  const isSending = ref(false);
  /** The packet that an earlier attempt sent, where this one asks for another. */
  const gone = ref<Packet | "unknown" | null>(null);
  const isUncertain = computed(() => draft.tried.length > 0 && !isSending.value && !gone.value);

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
    const isStill = thisStay();
    const wanted = body(from.unit, from.unit_id);
    [isSending.value, problem.value] = [true, null];
    note(wanted);
    try {
      const packet = await pay<Packet>("/red-packets", wanted, draft.key);
      if (!isStill()) return null;
      packets.put(packet);
      await discard();
      return packet;
    } catch (error) {
      if (isStill()) await failed(asProblem(error));
      return null;
    } finally {
      isSending.value = false;
    }
  }

  /** Kept before it goes out: after a reload too we know what may have been carried out. */
  function note(wanted: object): void {
    const isKnown = draft.tried.some((one) => JSON.stringify(one) === JSON.stringify(wanted));
    if (!isKnown) draft.tried = [...draft.tried, JSON.parse(JSON.stringify(wanted))].slice(-TRIED_MAX);
    saveDrafts();
  }

  async function failed(why: Problem): Promise<void> {
    if (why.isKeyReused) gone.value = await findGone();
    else problem.value = why;
    if (why.isRefusal) another();
  }

  /** The server has carried out one of our attempts under this key, and repeats its answer to the same words. */
  async function findGone(): Promise<Packet | "unknown"> {
    for (const one of [...toRaw(draft).tried].reverse()) {
      const packet = await pay<Packet>("/red-packets", one, draft.key).catch(() => null);
      if (packet) return packet;
    }
    return "unknown";
  }

  /** Another packet is another payment: it goes out under a key of its own. */
  function another(): void {
    [draft.key, draft.tried, gone.value] = [newId(), [], null];
    saveDrafts();
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
