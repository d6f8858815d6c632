// Pure decisions about budgets: the tree, what a bar shows, what may be changed.
import type { Budget } from "@/api/shapes";

export type TreeRow = { budget: Budget; depth: number };
export const PARTS = ["spent", "held", "allotted", "available"] as const;
export type Part = (typeof PARTS)[number];

/** Those above before those below, each with how deep it lies; allowances of single persons are no part of it. */
export function treeOf(budgets: Budget[]): TreeRow[] {
  const shown = budgets.filter((budget) => !budget.give_only);
  const known = new Set(shown.map((budget) => budget.id));
  const isBelow = (budget: Budget, parent: string | null): boolean => (budget.parent_id && known.has(budget.parent_id) ? budget.parent_id : null) === parent;
  const walk = (parent: string | null, depth: number): TreeRow[] =>
    shown.filter((budget) => isBelow(budget, parent)).flatMap((budget) => [{ budget, depth }, ...walk(budget.id, depth + 1)]);
  return walk(null, 0);
}

/** Which share of the limit each part takes, in per cent; of a limit of nothing, nothing. */
export const sharesOf = (budget: Budget): Record<Part, number> =>
  Object.fromEntries(PARTS.map((part) => [part, budget.limit_minor ? (100 * amountOf(budget, part)) / budget.limit_minor : 0])) as Record<Part, number>;

export const amountOf = (budget: Budget, part: Part): number => budget[`${part}_minor`];

/** Below what was committed a limit cannot fall. */
export const leastLimit = (budget: Budget): number => budget.limit_minor - budget.available_minor;

/** The most it can be raised to: what it has and what the budget above still has; the treasury has no end. */
export const mostLimit = (budget: Budget, parent: Budget | undefined): number => (parent ? budget.limit_minor + parent.available_minor : Infinity);

/** An ended budget, or a closed one with something left, can be given back by hand. */
export const isRecoverable = (budget: Budget, today: string): boolean => budget.available_minor > 0 && (budget.closed_at !== null || budget.period_to < today);
