// Changing a budget's limit, knowing its version; what was typed is kept until it is done.
import { computed, ref } from "vue";
import { leastLimit, mostLimit } from "./rules";
import { call } from "@/api/call";
import { asProblem } from "@/api/problem";
import type { Budget } from "@/api/shapes";
import { t } from "@/app/i18n";
import { toMinor } from "@/packets/rules";
import { useDraft } from "@/store/drafts";

export function useLimit(budget: () => Budget, parent: () => Budget | undefined, reread: () => Promise<Budget | null>) {
  const { draft, discard } = useDraft(`limit:${budget().id}`, () => ({ amount: "" }));
  const said = ref("");
  const isBusy = ref(false);
  const wanted = computed(() => toMinor(draft.amount, budget().unit));
  const isTooLow = computed(() => wanted.value !== null && wanted.value < leastLimit(budget()));
  const isTooHigh = computed(() => wanted.value !== null && wanted.value > mostLimit(budget(), parent()));
  const canSave = computed(() => wanted.value !== null && wanted.value !== budget().limit_minor && !isTooLow.value && !isTooHigh.value && !isBusy.value);

  /** Gives the budget as it stands then; where somebody was quicker, nothing was changed. */
  async function save(): Promise<Budget | null> {
    const limit = wanted.value;
    if (!canSave.value || limit === null) return null;
    [isBusy.value, said.value] = [true, ""];
    try {
      return await done(await call<Budget>("PATCH", `/budgets/${budget().id}`, { body: { version: budget().version, limit_minor: limit } }));
    } catch (error) {
      const problem = asProblem(error);
      const now = problem.isRefusal ? await reread() : null;
      // The answer to an earlier attempt was lost: it was carried out.
      if (problem.code === "version_conflict" && now?.limit_minor === limit) return done(now);
      said.value = problem.code === "version_conflict" ? t("budgets.changed") : problem.message;
      return null;
    } finally {
      isBusy.value = false;
    }
  }

  async function done(now: Budget): Promise<Budget> {
    await discard();
    return now;
  }

  return { draft, wanted, isTooLow, isTooHigh, canSave, isBusy, said, save };
}
