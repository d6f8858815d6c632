// Redeeming an item: how many and at which price stand in a draft with its Idempotency-Key, so that points are taken once.
import { computed, ref } from "vue";
import { QUANTITY_MAX, refusalOf, toCount } from "./rules";
import type { CatalogueItem, Redemption } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { type Paid, unpaid, usePaying } from "@/store/paying";

/** The price is the one that was seen, and so agreed to. */
type Draft = Paid & { quantity: string; price: number };

export function useRedeem(item: CatalogueItem, available: () => number) {
  const { draft, isRestored, isReady, discard } = useDraft<Draft>(`redeem:${item.id}`, () => ({ quantity: "1", price: item.price_points, ...unpaid() }));
  const { problem, isSending, gone, isUncertain, ask, another } = usePaying<Redemption>("/redemptions", draft);
  const refusal = ref("");
  const quantity = computed(() => toCount(draft.quantity, 1, QUANTITY_MAX));
  const total = computed(() => (quantity.value === null ? null : quantity.value * draft.price));
  const left = computed(() => (total.value === null ? null : available() - total.value));
  /** What was asked for already is asked for again whatever is left now: it may be what took it. */
  const canRedeem = computed(() => isReady.value && total.value !== null && !isSending.value && (isUncertain.value || (left.value ?? -1) >= 0));

  // A price that was seen another day was not agreed to, unless its answer is still owed.
  void isRestored.then((wasKept) => {
    if (wasKept && !draft.tried.length) draft.price = item.price_points;
  });

  async function redeem(): Promise<Redemption | null> {
    await isRestored;
    if (!canRedeem.value) return null;
    refusal.value = "";
    const made = await ask({ item_id: item.id, quantity: quantity.value, price_points: draft.price });
    if (made) await discard();
    else told();
    return made;
  }

  function told(): void {
    const why = problem.value;
    if (!why) return;
    refusal.value = refusalOf(why, draft.price);
    if (why.code === "redpackets.price_changed") draft.price = Number(why.body.now);
  }

  function step(by: 1 | -1): void {
    draft.quantity = String(Math.min(QUANTITY_MAX, Math.max(1, (quantity.value ?? 1) + by)));
  }

  return { draft, quantity, total, left, canRedeem, problem, refusal, isSending, isUncertain, gone, redeem, another, step };
}
