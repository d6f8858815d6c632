// Pure decisions about rules on figures: what one says in words, and what is typed into its terms.
import type { AudiencePick, KpiRule } from "@/api/shapes";
import { date, figure, money, share } from "@/app/format";
import { i18n, t } from "@/app/i18n";
import { toMinor } from "@/packets/rules";

export const COMPARISONS = ["value", "target", "growth"] as const;
export const PERIODS = ["month", "quarter", "year"] as const;
const DAYS_MAX = { month: 31, quarter: 92, year: 366 };
type Worded = { metric: string; metric_unit: string | null; comparison: string; threshold: number };

const known = (key: string, otherwise: string): string => (i18n.global.te(key, "zh-CN") ? t(key) : otherwise);

export const metricName = (metric: string): string => known(`rules.metric.${metric}`, metric);
export const reasonText = (code: string): string => known(`rules.reason.${code}`, t("rules.reason.other", { code }));

/** A figure as its metric counts; money in the company's currency. */
export const figureOf = (value: number | null, unit: string | null, currency: string): string =>
  unit === "money" ? money(value, currency) : figure(value, unit === "ratio" ? "ratio" : "count");

/** When it fires: "Orders of at least 100 % of target". */
export function whenOf(rule: Worded, currency: string): string {
  const threshold = rule.comparison === "value" ? figureOf(rule.threshold, rule.metric_unit, currency) : share(rule.threshold);
  return t(`rules.when.${rule.comparison}`, { metric: metricName(rule.metric), threshold });
}

/** How often, and within which days. */
export const howOften = (rule: Pick<KpiRule, "period" | "deadline_day">): string =>
  [t(`rules.period.${rule.period}`), rule.deadline_day ? t("rules.within", { n: rule.deadline_day }) : ""].filter(Boolean).join(" · ");

/** What it gives. */
export function givesOf(rule: Pick<KpiRule, "total_minor" | "per_head_minor" | "unit" | "split">): string {
  const key = rule.total_minor === null ? "rules.givesHead" : "rules.givesTotal";
  return t(key, { amount: money(rule.total_minor ?? rule.per_head_minor, rule.unit), split: t(`rules.split.${rule.split}`) });
}

/** Whom it is about, by the names that this reader knows. */
export function subjectsOf(subjects: { kind: string; ids: string[] }, nameOf: (id: string) => string | undefined): string {
  const names = subjects.ids.map((id) => nameOf(id) ?? "…").join(t("app.comma"));
  return t(`rules.subjects.${subjects.kind}`, { names, n: subjects.ids.length });
}

/** The period of a fire, as people call it: "2026-11", "2026 Q4", "2026". */
export function periodName(from: string, to: string): string {
  const [year, first, last] = [from.slice(0, 4), Number(from.slice(5, 7)), Number(to.slice(5, 7))];
  if (first === last) return from.slice(0, 7);
  if (last - first === 2) return `${year} Q${Math.ceil(first / 3)}`;
  return last - first === 11 ? year : `${date(from)} – ${date(to)}`;
}

/** How many waves of a rain have not fallen yet. */
export const wavesToCome = (waves: { state: string }[]): number => waves.filter((wave) => ["scheduled", "pending_approval"].includes(wave.state)).length;

export type Terms = {
  name: string; metric: string; comparison: (typeof COMPARISONS)[number]; threshold: string; period: (typeof PERIODS)[number]; deadline: string;
  subjects: AudiencePick[]; eachBelow: boolean; budgetId: string; gives: "total" | "per_head"; amount: string; split: "equal" | "lucky"; audience: "subject" | "unit"; category: string; purpose: string; greeting: string;
};

/** What is held against the figure: "110" per cent is 1.1, yuan are fen, a count is itself. */
export function thresholdOf(text: string, comparison: string, metricUnit: string): number | null {
  const isShare = comparison !== "value" || metricUnit === "ratio";
  const plain = text.normalize("NFKC").replace(/[,\s%¥]/g, "");
  if (!/^\d{1,12}(\.\d{1,2})?$/.test(plain) || !Number(plain)) return null;
  if (isShare) return Number((Number(plain) / 100).toFixed(4));
  return metricUnit === "money" ? toMinor(plain) : Number(plain);
}

export const kindOfSubjects = (picks: AudiencePick[]): "units" | "persons" | null => {
  const kinds = new Set(picks.map((pick) => pick.kind));
  if (kinds.size !== 1) return null;
  return kinds.has("unit") ? "units" : kinds.has("person") ? "persons" : null;
};

/** Terms as the server takes them; null while something is missing or makes no sense. */
export function bodyOf(terms: Terms, metricUnit: string, budget: { id: string; unit: string; unit_id: string } | undefined): object | null {
  const threshold = thresholdOf(terms.threshold, terms.comparison, metricUnit);
  const amount = budget && toMinor(terms.amount, budget.unit);
  const kind = kindOfSubjects(terms.subjects);
  const deadline = terms.deadline.trim() ? Number(terms.deadline) : null;
  const isDay = deadline === null || (Number.isInteger(deadline) && deadline >= 1 && deadline <= DAYS_MAX[terms.period]);
  if (!budget || !threshold || !amount || !kind || !isDay || !terms.name.trim() || !terms.metric || !terms.purpose.trim()) return null;
  const isAlone = kind === "persons" && terms.audience === "subject";
  return {
    name: terms.name.trim(),
    metric: terms.metric,
    comparison: terms.comparison,
    threshold,
    period: terms.period,
    deadline_day: deadline,
    subjects: { kind: kind === "units" && terms.eachBelow ? "children" : kind, ids: terms.subjects.map((pick) => pick.id) },
    budget_id: budget.id,
    unit: budget.unit,
    [terms.gives === "total" ? "total_minor" : "per_head_minor"]: amount,
    split: isAlone ? "one" : terms.split,
    audience: kind === "persons" ? terms.audience : "subject",
    on_behalf_of: budget.unit_id,
    purpose: { category: terms.category, text: terms.purpose.trim() },
    greeting: terms.greeting.trim(),
  };
}
