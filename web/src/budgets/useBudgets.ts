// All budgets that I may see, those above before those below; one of them as it stands now.
import type { Budget } from "@/api/shapes";
import { useListing } from "@/store/reading";

const PAGE = 100;

export const useBudgets = () => useListing<Budget>("/budgets?tree=true&give_only=false", (event) => event.kind === "redpackets.budget_changed", PAGE);
