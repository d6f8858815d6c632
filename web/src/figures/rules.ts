// Pure decisions about figures: what is good news, how a series is drawn, what a role opens most.
import type { Figure } from "@/api/shapes";
import { oversees } from "@/packets/rules";
import type { IconName } from "@/ui/AppIcon.vue";

export type Mood = "gain" | "loss" | "";
export type Entry = { key: string; icon: IconName; to: string };

/** Whether a change is good news: less of some things is more. */
export function moodOf(change: number | null | undefined, sentiment: string): Mood {
  if (!change) return "";
  return change > 0 === (sentiment !== "less_is_better") ? "gain" : "loss";
}

/** A line through the points, in a box of `width` by `height`; days without a value are left out. */
export function sparkPath(values: (number | null)[], width: number, height: number): string {
  const all = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (value: number): number => (high === low ? height / 2 : height - 1 - ((value - low) / (high - low)) * (height - 2));
  return lineThrough(values, width, y);
}

const STEPS_WANTED = 3;

/** Round figures from below the least to above the most, to be written beside a course; `fromZero` keeps nothing in view. */
export function ticksOf(values: (number | null)[], fromZero: boolean): number[] {
  const all = [...values.filter((value) => value !== null), ...(fromZero ? [0] : [])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const rough = (high - low || Math.abs(high) || 1) / STEPS_WANTED;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((times) => times * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

/** The course between its outermost ticks, in a box of 100 by 100. */
export const coursePath = (values: (number | null)[], ticks: number[]): string => lineThrough(values, 100, heightIn(ticks));

/** What lies between the course and nothing, or the lowest tick. */
export function areaPath(values: (number | null)[], ticks: number[]): string {
  const course = coursePath(values, ticks);
  if (!course) return "";
  const ground = heightIn(ticks)(Math.max(0, ticks[0] ?? 0)).toFixed(1);
  const known = knownAt(values);
  const across = (at = 0): string => ((at / (values.length - 1)) * 100).toFixed(1);
  return `${course}L${across(known.at(-1))} ${ground}L${across(known[0])} ${ground}Z`;
}

/** Which day with a value is nearest to a place between 0 (the first day) and 1 (the last). */
export function nearestKnown(values: (number | null)[], share: number): number | null {
  const wanted = share * (values.length - 1);
  return knownAt(values).reduce<number | null>((best, at) => (best === null || Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best), null);
}

const knownAt = (values: (number | null)[]): number[] => values.flatMap((value, at) => (value === null ? [] : [at]));

function heightIn(ticks: number[]): (value: number) => number {
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  return (value) => 100 - ((value - low) / (high - low)) * 100;
}

function lineThrough(values: (number | null)[], width: number, y: (value: number) => number): string {
  const known = values.map((value, at) => ({ value, at })).filter((point): point is { value: number; at: number } => point.value !== null);
  if (known.length < 2) return "";
  return known.map((point, n) => `${n ? "L" : "M"}${((point.at / (values.length - 1)) * width).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
}

/** Ahead of where the working days stand, a little behind, or far behind. */
export function paceOf(card: Pick<Figure, "attainment" | "pace">): "ahead" | "behind" | "far" | null {
  if (card.attainment === null || card.pace === null) return null;
  if (card.attainment >= card.pace) return "ahead";
  return card.attainment >= card.pace * 0.9 ? "behind" : "far";
}

/** The three things a role does most, each one tap from home. */
export function entriesOf(may: (permission: string) => boolean): Entry[] {
  const all: (Entry | false)[] = [
    may("feeds.announce") && { key: "announce", icon: "megaphone", to: "/feed/compose?type=announcement" },
    may("redpackets.send") && { key: "sendPacket", icon: "packet", to: "/packets/send" },
    (may("redpackets.approve") || may("redpackets.manage")) && { key: "approve", icon: "check", to: "/approvals" },
    oversees(may) && { key: "oversee", icon: "packet", to: "/packets/sent" },
    { key: "write", icon: "write", to: "/feed/compose" },
    { key: "wallet", icon: "wallet", to: "/wallet" },
    { key: "talk", icon: "feed", to: "/feed" },
  ];
  return all.filter((entry) => entry !== false).slice(0, 3);
}
