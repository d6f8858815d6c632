// Pure decisions about red packets: what is typed into whole minor units, and what an envelope says.
import type { Packet } from "@/api/shapes";
import type { IconName } from "@/ui/AppIcon.vue";

export const SHARES_MAX = 10_000;
/** The looks of an envelope that the server knows by name. */
export const COVERS = ["classic", "spring", "lantern", "birthday", "anniversary", "rain", "champion"] as const;

/** What rewards are for; reports add up by it. */
export const CATEGORIES = ["thanks", "recognition", "sales", "party", "benefit"] as const;

/** A time as a person picks it, by the phone's zone; nothing where none is picked. */
export const momentOf = (picked: string): string | undefined => (picked ? new Date(picked).toISOString() : undefined);

/** Yuan as a person types them ("12", "12.5", "１２．５０") to fen; null where it is no such amount. */
export function toMinor(text: string, unit = "CNY"): number | null {
  const plain = text.normalize("NFKC").replace(/[,\s¥]/g, "");
  const pattern = unit === "POINT" ? /^(\d{1,10})$/ : /^(\d{1,10})(?:\.(\d{1,2}))?$/;
  const found = pattern.exec(plain);
  if (!found) return null;
  return unit === "POINT" ? Number(found[1]) : Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}

/** The other way round: an amount as a person would type it. */
export const asTyped = (minor: number, unit = "CNY"): string => (unit === "POINT" ? String(minor) : (minor / 100).toFixed(2));

const STATES = ["pending_approval", "scheduled", "open", "exhausted", "expired", "cancelled", "rejected"] as const;
export type EnvelopeState = (typeof STATES)[number] | "mine" | "frozen" | "credited" | "unknown";
type Shown = Pick<Packet, "state" | "frozen" | "kind"> & Partial<Pick<Packet, "mine">>;
/** Kinds that are given, not grabbed: nobody came too late for them. */
const CREDITED = ["kudos", "milestone", "grant"];

/** What an envelope shows. The phone's clock decides nothing: the server has said the state. */
export function envelopeState(packet: Shown | undefined): EnvelopeState {
  if (!packet) return "unknown";
  if (packet.mine) return "mine";
  const state = STATES.find((known) => known === packet.state);
  if (state === "exhausted" && CREDITED.includes(packet.kind)) return "credited";
  return packet.frozen && (state === "open" || state === "scheduled") ? "frozen" : (state ?? "unknown");
}

/** Whether the envelope's look is that of one that can still be opened. */
export const isFresh = (state: EnvelopeState): boolean => ["open", "scheduled", "pending_approval", "unknown"].includes(state);

/** What its sender or overseer may still do to a packet; the server has the last word. */
export function stoppable(packet: Packet): "cancellation" | "closing" | null {
  if (packet.state === "pending_approval" || packet.state === "scheduled") return "cancellation";
  if (packet.state !== "open") return null;
  return packet.remaining === packet.count ? "cancellation" : "closing";
}

/** Whether somebody looks after rewards that others send. */
export const oversees = (may: (permission: string) => boolean): boolean => may("redpackets.manage") || may("redpackets.audit");

export type RewardPlace = { key: "payouts" | "budgets" | "rules" | "proposals" | "rains" | "milestones" | "report" | "flags"; icon: IconName; to: string };

/** What somebody sees of how rewards are paid for and decided. */
export function rewardPlaces(may: (permission: string) => boolean): RewardPlace[] {
  const any = (...permissions: string[]): boolean => permissions.some((one) => may(`redpackets.${one}`));
  const all: (RewardPlace | false)[] = [
    any("payout") && { key: "payouts", icon: "wallet", to: "/payouts" },
    any("manage", "budgets", "send", "audit") && { key: "budgets", icon: "reach", to: "/budgets" },
    any("campaigns", "audit") && { key: "rules", icon: "chart", to: "/kpi-rules" },
    any("approve", "campaigns") && { key: "proposals", icon: "check", to: "/kpi-proposals" },
    any("manage", "send") && { key: "rains", icon: "packet", to: "/rains" },
    any("campaigns") && { key: "milestones", icon: "heart", to: "/milestone-rules" },
    any("manage", "budgets", "audit") && { key: "report", icon: "chart", to: "/oversight/report" },
    any("audit") && { key: "flags", icon: "search", to: "/oversight/flags" },
  ];
  return all.filter((place) => place !== false);
}

/** Whether I sent, approve or oversee it: then its money is mine to see. */
export const isInsider = (packet: Packet): boolean => packet.total_minor !== undefined;

/** Whether what others got is mine to see now, and was not yet when it was read. */
export const hidesClaims = (packet: Packet): boolean => packet.shows_claims && !packet.claims && (!!packet.mine || ["exhausted", "expired"].includes(packet.state));

/** Who was luckiest, once all shares of a lucky packet are taken. */
export function luckiest(packet: Packet): string | null {
  if (packet.kind !== "lucky" || packet.remaining > 0 || !packet.claims?.length) return null;
  return packet.claims.reduce((best, claim) => (claim.amount_minor > best.amount_minor ? claim : best)).holder.id;
}
