// Figures for people: 万 and 亿 in Chinese, K and M in English; whole amounts where money changes hands.
import { now as timeNow } from "./clock";
import { locale, t } from "./i18n";

const COMPACT_FROM_MINOR = 1_000_000;
const made = new Map<string, unknown>();

/** Making a format costs a slow phone milliseconds, and a screen asks for the same ones over and over. */
function formatOf<Format, Options>(Kind: new (language: string, options: Options) => Format, options: Options): Format {
  const key = Kind.name + locale.value + JSON.stringify(options);
  const known = (made.get(key) as Format | undefined) ?? new Kind(locale.value, options);
  made.set(key, known);
  return known;
}

const numbers = (options: Intl.NumberFormatOptions): Intl.NumberFormat => formatOf(Intl.NumberFormat, options);
const dates = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => formatOf(Intl.DateTimeFormat, options);

/** A figure in few digits: money in minor units, ratios as per cent, counts grouped. */
export function figure(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "—";
  if (unit === "ratio") return numbers({ style: "percent", maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(value);
  if (unit === "count") return numbers({ maximumFractionDigits: 1 }).format(value);
  if (unit === "POINT") return t("unit.points", { n: numbers({}).format(value) });
  const isLarge = Math.abs(value) >= COMPACT_FROM_MINOR;
  return currency(unit, { maximumFractionDigits: 2, ...(isLarge ? { notation: "compact" } : { minimumFractionDigits: 2 }) }).format(value / 100);
}

/** An amount to the cent. */
export function money(minor: number | null | undefined, unit: string): string {
  if (minor === null || minor === undefined) return "—";
  if (unit === "POINT") return t("unit.points", { n: numbers({}).format(minor) });
  return currency(unit, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(minor / 100);
}

/** A share of something, with its sign. */
export const change = (ratio: number): string =>
  numbers({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(ratio);

export const percent = (ratio: number): string => numbers({ style: "percent", maximumFractionDigits: 0 }).format(ratio);
/** A share as somebody has set it: 110 %, 12.5 %. */
export const share = (ratio: number): string => numbers({ style: "percent", maximumFractionDigits: 2 }).format(ratio);
export const count = (value: number): string => numbers({ maximumFractionDigits: 0 }).format(value);

/** Today by the clock, this year by the day, else with the year. */
export function moment(text: string | null | undefined, now = new Date(timeNow())): string {
  if (!text) return "—";
  const at = new Date(text);
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (at.toDateString() === now.toDateString()) return dates(time).format(at);
  const day: Intl.DateTimeFormatOptions = { month: "numeric", day: "numeric" };
  if (at.getFullYear() === now.getFullYear()) return dates({ ...day, ...time }).format(at);
  return dates({ ...day, year: "numeric" }).format(at);
}

export const day = (text: string): string => dates({ month: "numeric", day: "numeric", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));

/** A day with its year, where months of other years are about. */
export const date = (text: string): string => dates({ year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));

/** How long ago, in one unit; what a wrong clock holds for the future has just been. */
export function ago(text: string, now = timeNow()): string {
  const seconds = Math.min(0, Math.round((new Date(text).getTime() - now) / 1000));
  const words = formatOf<Intl.RelativeTimeFormat, Intl.RelativeTimeFormatOptions>(Intl.RelativeTimeFormat, { numeric: "auto", style: "short" });
  if (-seconds < 60) return t("time.now");
  if (-seconds < 3_600) return words.format(Math.round(seconds / 60), "minute");
  if (-seconds < 86_400) return words.format(Math.round(seconds / 3_600), "hour");
  return words.format(Math.round(seconds / 86_400), "day");
}

function currency(unit: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return numbers({ style: "currency", currency: unit, currencyDisplay: "narrowSymbol", ...options });
}
