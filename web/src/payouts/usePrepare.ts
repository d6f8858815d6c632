// A payout being prepared: kept as a draft with its Idempotency-Key, so that asking twice makes one.
import { computed } from "vue";
import { monthsUntil } from "./rules";
import type { Payout } from "@/api/shapes";
import { todayIn } from "@/app/clock";
import { useDraft } from "@/store/drafts";
import { useMe } from "@/store/me";
import { type Paid, unpaid, usePaying } from "@/store/paying";

type Draft = Paid & { unitId: string; period: string };

export function usePrepare() {
  const me = useMe();
  const months = monthsUntil(todayIn(me.timeZone));
  const { draft, isRestored, isReady, discard } = useDraft<Draft>("payout", () => ({ unitId: "", period: months[0]!, ...unpaid() }));
  const { problem, isSending, gone, isUncertain, ask, another } = usePaying<Payout>("/payouts", draft);
  /** Not before what was asked for last time is known. */
  const canPrepare = computed(() => isReady.value && !isSending.value);
  const units = computed(() => me.units.filter((unit) => unit.tree === "admin"));
  const currency = computed(() => me.me?.tenant.currency ?? "CNY");
  /** Who has something that cannot be paid this way, by the reason why. */
  const leftOut = computed(() => Object.entries((problem.value?.body.left_out ?? {}) as Record<string, number>));

  async function prepare(): Promise<Payout | null> {
    await isRestored;
    const made = await ask({ method: "payroll", unit: currency.value, period: draft.period, unit_id: draft.unitId || null });
    if (made) await discard();
    return made;
  }

  return { draft, months, units, currency, leftOut, problem, canPrepare, gone, isUncertain, prepare, another };
}
