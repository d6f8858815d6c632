// A results file being handed in: kept with its key until the server has taken it, so that nothing chosen is lost and nothing is taken twice.
import { ref } from "vue";
import { faultsOf, type RowFault, sheetText } from "./rules";
import { pay } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem } from "@/api/problem";
import type { Payout } from "@/api/shapes";
import { saveDrafts, useDraft } from "@/store/drafts";
import { thisStay } from "@/store/stay";

type Draft = { name: string; content: string; key: string; isAsked: boolean };

export function useResults(payoutId: string) {
  const { draft, discard } = useDraft<Draft>(`results:${payoutId}`, () => ({ name: "", content: "", key: newId(), isAsked: false }));
  const faults = ref<RowFault[]>([]);
  const said = ref("");
  const isBusy = ref(false);

  /** Another file is another intention. */
  async function choose(file: File): Promise<void> {
    const content = sheetText(await file.arrayBuffer());
    Object.assign(draft, { name: file.name, content, key: newId(), isAsked: false });
    [faults.value, said.value] = [[], ""];
  }

  async function take(): Promise<Payout | null> {
    const isStill = thisStay();
    [isBusy.value, faults.value, said.value, draft.isAsked] = [true, [], "", true];
    saveDrafts();
    try {
      const payout = await pay<Payout>(`/payouts/${payoutId}/results`, { content: draft.content }, draft.key);
      if (!isStill()) return null;
      await discard();
      return payout;
    } catch (error) {
      if (isStill()) refused(asProblem(error));
      return null;
    } finally {
      isBusy.value = false;
    }
  }

  function refused(why: ReturnType<typeof asProblem>): void {
    faults.value = faultsOf(why.errors);
    said.value = faults.value.length ? "" : why.message;
    if (why.isRefusal) [draft.key, draft.isAsked] = [newId(), false];
  }

  return { draft, faults, said, isBusy, choose, take };
}
