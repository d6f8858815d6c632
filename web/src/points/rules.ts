// Pure decisions about points: what an item may be called and offers, what a redemption allows, what a refusal says.
import type { Problem } from "@/api/problem";
import type { CatalogueItem, Redemption, StreamEvent } from "@/api/shapes";
import { count } from "@/app/format";
import { isChinese, t } from "@/app/i18n";

export const QUANTITY_MAX = 1_000;
export const REDEMPTION = "redpackets.redemption_changed";
const MOVED = ["redpackets.points_expired", "redpackets.points_expiring"];

type Named = Pick<CatalogueItem, "name_zh" | "name_en">;
type Described = Pick<CatalogueItem, "description_zh" | "description_en">;

export const nameOf = (item: Named): string => (isChinese.value ? item.name_zh : item.name_en);
export const aboutOf = (item: Described): string => (isChinese.value ? item.description_zh : item.description_en);
export const isOpen = (redemption: Redemption): boolean => ["reserved", "approved"].includes(redemption.state);

/** Whether my points have moved: redeemed, given back, gone, or received. */
export function movesPoints({ kind, data }: StreamEvent, myId: string): boolean {
  if (kind === "redpackets.share_taken") return data.holder_id === myId && data.unit === "POINT";
  return kind === REDEMPTION ? data.person_id === myId : MOVED.includes(kind);
}

/** A whole number as a person types it; null where it is none, or not from ``least`` to ``most``. */
export function toCount(text: string, least: number, most: number): number | null {
  const plain = text.normalize("NFKC").trim();
  const value = /^\d{1,10}$/.test(plain) ? Number(plain) : NaN;
  return value >= least && value <= most ? value : null;
}

/** Why nothing was redeemed, with the numbers that the server gave. */
export function refusalOf(problem: Problem, priceBefore: number): string {
  const said = (name: string): string => count(Number(problem.body[name] ?? 0));
  switch (problem.code) {
    case "redpackets.price_changed":
      return t("points.priceChanged", { before: count(priceBefore), now: said("now") });
    case "redpackets.out_of_stock":
      return problem.body.available ? t("points.only", { n: said("available") }) : t("points.goneNow");
    case "redpackets.insufficient_points":
      return t("points.short", { requested: said("requested"), available: said("available") });
    case "redpackets.limit_reached":
      return t("points.limitReached", { limit: said("limit"), taken: said("taken") });
    default:
      return problem.message;
  }
}

export type Step = { name: "asked" | "approved" | "fulfilled" | "declined" | "withdrawn"; at: string | null; by: string; isDone: boolean };

/** How a redemption went, and what is still to come. */
export function stepsOf({ state, person, created_at, decided_by, decided_at, fulfilled_by, fulfilled_at }: Redemption): Step[] {
  const asked: Step = { name: "asked", at: created_at, by: person.name, isDone: true };
  const decided = { at: decided_at, by: decided_by?.name ?? "" };
  if (state === "declined") return [asked, { name: "declined", ...decided, isDone: true }];
  const approved: Step = { name: "approved", ...decided, isDone: state !== "reserved" };
  if (state === "withdrawn") return [asked, ...(decided_at ? [{ ...approved, isDone: true }] : []), { name: "withdrawn", at: null, by: person.name, isDone: true }];
  return [asked, approved, { name: "fulfilled", at: fulfilled_at, by: fulfilled_by?.name ?? "", isDone: state === "fulfilled" }];
}
