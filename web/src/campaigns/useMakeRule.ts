// A rule being made: kept as a draft, tried on last year, then kept under one key however often it is asked for.
import { computed, ref } from "vue";
import { bodyOf, kindOfSubjects, type Terms } from "./rules";
import { get, post } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { KpiMetric, KpiPreview, KpiRule, Page } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { usePackets } from "@/store/packets";
import { type Paid, unpaid, usePaying } from "@/store/paying";

const EMPTY: Terms = { name: "", metric: "ordered_net", comparison: "target", threshold: "100", period: "month", deadline: "", subjects: [], eachBelow: false, budgetId: "", gives: "total", amount: "", split: "lucky", audience: "subject", category: "sales", purpose: "", greeting: "" };

export function useMakeRule() {
  const packets = usePackets();
  const { draft, isRestored, discard } = useDraft<Terms & Paid>("rule", () => ({ ...EMPTY, subjects: [], ...unpaid() }));
  const { problem, isSending, gone, isUncertain, ask, another } = usePaying<KpiRule>("/kpi-rules", draft);
  const metrics = ref<KpiMetric[]>([]);
  const isLoaded = ref(false);
  const trouble = ref<Problem | null>(null);
  const preview = ref<KpiPreview | null>(null);
  const isTrying = ref(false);
  /** Which terms the preview is of. */
  const tried = ref("");

  const usable = computed(() => packets.budgets.filter((budget) => !budget.give_only && !budget.closed_at));
  const budget = computed(() => usable.value.find((one) => one.id === draft.budgetId));
  const metric = computed(() => metrics.value.find((one) => one.key === draft.metric));
  const subjectKind = computed(() => kindOfSubjects(draft.subjects));
  const body = computed(() => bodyOf(draft, metric.value?.unit ?? "money", budget.value));
  const isTried = computed(() => body.value !== null && preview.value !== null && tried.value === JSON.stringify(body.value));

  async function load(): Promise<void> {
    try {
      const [found] = await Promise.all([get<Page<KpiMetric>>("/kpi-metrics"), packets.readBudgets(), isRestored]);
      metrics.value = found.items;
      if (!budget.value && usable.value[0]) draft.budgetId = usable.value[0].id;
      [isLoaded.value, trouble.value] = [true, null];
    } catch (error) {
      trouble.value = asProblem(error);
    }
  }

  /** What it would have done; without effect, so it may be asked as often as one likes. */
  async function tryIt(): Promise<void> {
    const wanted = body.value;
    if (!wanted || isTrying.value) return;
    [isTrying.value, problem.value, preview.value] = [true, null, null];
    try {
      const found = await post<KpiPreview>("/kpi-rules/preview", wanted);
      [preview.value, tried.value] = [found, JSON.stringify(wanted)];
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      isTrying.value = false;
    }
  }

  async function save(): Promise<KpiRule | null> {
    if (!body.value || !isTried.value) return null;
    const made = (await ask(body.value)) as KpiRule | null;
    if (made) await discard();
    return made;
  }

  return { draft, metrics, metric, usable, budget, subjectKind, body, preview, isTried, isTrying, isLoaded, isSending, isUncertain, gone, problem, trouble, load, tryIt, save, another };
}
