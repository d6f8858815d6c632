// Pure decisions about oversight: what a flag says in words, and which days a report is of.
import type { Flag } from "@/api/shapes";
import { money, percent } from "@/app/format";
import { i18n, t } from "@/app/i18n";

export const REPORTED_BY = ["unit", "purpose", "kind", "budget", "month"] as const;
export const TIMES = ["month", "before", "year"] as const;
type Time = (typeof TIMES)[number];

/** What a flag is about, in a sentence; a kind that this build does not know is named by its code. */
export function wordsOf(flag: Flag): string {
  const key = `flags.what.${flag.kind}`;
  const names = flag.subjects.map((one) => one.name);
  if (!i18n.global.te(key, "zh-CN")) return `${flag.kind}: ${names.join(t("app.comma"))}`;
  const said = flag.figures as Record<string, number | string>;
  const amount = (name: string): string => money(Number(said[name] ?? 0), String(said.unit));
  const share = Number(said.total_minor) ? percent(Number(said.amount_minor) / Number(said.total_minor)) : "";
  return t(key, { a: names[0] ?? "", b: names[1] ?? "", names: names.join(" → "), n: said.gift_count ?? said.packet_count ?? 0, amount: amount("amount_minor"), total: amount("total_minor"), threshold: amount("threshold_minor"), share });
}

export const kindName = (kind: string): string => (i18n.global.te(`flags.kind.${kind}`, "zh-CN") ? t(`flags.kind.${kind}`) : kind);

/** The first and the last day of a time, given what day it is: "2026-11-22". */
export function daysOf(time: Time, today: string): { from: string; to: string } {
  const [year, month] = today.split("-").map(Number) as [number, number];
  if (time === "year") return { from: `${year}-01-01`, to: today };
  if (time === "month") return { from: `${today.slice(0, 7)}-01`, to: today };
  const last = new Date(Date.UTC(year, month - 1, 0)).toISOString().slice(0, 10);
  return { from: `${last.slice(0, 7)}-01`, to: last };
}
