// Where a notice leads on this device, and how its kind looks.
import type { Router } from "vue-router";
import type { IconName } from "@/ui/AppIcon.vue";

const ICONS: Record<string, IconName> = {
  "redpackets.redemption": "gift",
  "redpackets.redemption_to_handle": "gift",
  "redpackets.points_expiring": "star",
  "redpackets.payee_account": "wallet",
  "feeds.announcement": "megaphone",
  "feeds.nudge": "clock",
  "feeds.mention": "comment",
  "redpackets.packet_opened": "packet",
  "redpackets.approval": "check",
  "redpackets.payouts": "wallet",
  "redpackets.campaigns": "chart",
  "redpackets.budget": "wallet",
  "redpackets.pattern_flagged": "search",
  "roledata.watch": "chart",
};

/** Screens that go by another address here than in the notice, which all kinds of devices read. */
const HERE: Record<string, string> = { "/red-packet-approvals": "/approvals" };

export const iconOf = (kind: string): IconName => ICONS[kind] ?? "bell";

/** A notice may be about something that has no screen on a phone; then it is only read. */
export function placeOf(router: Pick<Router, "resolve">, link: string): string | null {
  const place = HERE[link] ?? link;
  const isInside = /^\/(?!\/)/.test(place);
  return isInside && router.resolve(place).matched.every((route) => !route.path.startsWith("/:")) ? place : null;
}
