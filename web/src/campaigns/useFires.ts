// What a rule fired, a page at a time, with why it did not; read again when it fires, misses, or a figure of it is restated.
import { shallowRef, watch } from "vue";
import type { KpiFire, KpiFires } from "@/api/shapes";
import { useListing } from "@/store/reading";

const KINDS = ["redpackets.rule_fired", "redpackets.rule_missed", "redpackets.figure_restated", "redpackets.restatement_decided"];

export function useFires(ruleId: string) {
  const listing = useListing<KpiFire, KpiFires>(`/kpi-rules/${ruleId}/fires`, (event) => KINDS.includes(event.kind) && event.data.rule_id === ruleId);
  const misses = shallowRef<KpiFires["misses"]>([]);
  watch(listing.answer, (answer) => (misses.value = answer?.misses ?? []));
  return { ...listing, fires: listing.items, misses };
}
