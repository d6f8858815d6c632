// Taking back what an ended budget does not need: asked for under one key, however often.
import { computed } from "vue";
import type { Budget } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { type Paid, unpaid, usePaying } from "@/store/paying";

export function useRecovery(budgetId: string) {
  const { draft, isRestored, isReady, discard } = useDraft<Paid>(`recovery:${budgetId}`, unpaid);
  const { problem, isSending, isUncertain, ask } = usePaying<Budget>(`/budgets/${budgetId}/recovery`, draft);
  /** Not before what was asked for last time is known. */
  const canAsk = computed(() => isReady.value && !isSending.value);

  async function recover(): Promise<Budget | null> {
    await isRestored;
    const changed = await ask({});
    if (changed) await discard();
    return changed;
  }

  return { problem, canAsk, isUncertain, recover };
}
