// What an approval says in words: its kind, how a decision goes, and why it did not come to pass.
import { i18n, t } from "@/app/i18n";
import type { ErpApproval, ErpDecision } from "@/api/shapes";

export const COURSE = ["queued", "sent", "confirmed"] as const;

const KINDS = ["purchase_requisition", "purchase_order", "sales_order", "sales_quotation"];

export const kindOf = (kind: string): string => t(`documents.kind.${KINDS.includes(kind) ? kind : "other"}`);

/** Where a decision stands on its way; one that was refused or is not known ends or halts where it was sent. */
export function stepsOf(decision: ErpDecision): { name: string; state: "done" | "now" | "to come" }[] {
  const isOver = decision.state === "refused" || decision.state === "unknown";
  const names: string[] = isOver ? ["queued", ...(decision.sent_at ? ["sent"] : []), decision.state] : [...COURSE];
  const at = names.indexOf(decision.state);
  return names.map((name, place) => ({ name, state: place < at || name === "confirmed" && place === at ? "done" : place === at ? "now" : "to come" }));
}

/** Why, in words; a code that this build does not know is said as such. */
export function whyOf(code: string | null | undefined): string {
  if (!code) return "";
  const key = `documents.why.${code.replaceAll(".", "_")}`;
  return i18n.global.te(key, "zh-CN") ? t(key) : t("documents.why.other", { code });
}

/** The mark beside an approval in a list: how its decision goes, else how it ended. */
export function markOf(approval: ErpApproval): { text: string; warns: boolean } {
  const going = approval.decision?.state;
  if (approval.state === "pending" && going && going !== "confirmed") return { text: t(`documents.go.${going}`), warns: going === "refused" || going === "unknown" };
  return { text: t(`documents.state.${approval.state}`), warns: approval.state === "rejected" };
}
