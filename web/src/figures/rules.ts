// Pure decisions about figures: what is good news, how a series is drawn, what a role opens most.
import type { Figure } from "@/api/shapes";
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
  const known = values.map((value, at) => ({ value, at })).filter((point): point is { value: number; at: number } => point.value !== null);
  if (known.length < 2) return "";
  const all = known.map((point) => point.value);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (at: number): number => (at / (values.length - 1)) * width;
  const y = (value: number): number => (high === low ? height / 2 : height - 1 - ((value - low) / (high - low)) * (height - 2));
  return known.map((point, n) => `${n ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
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
    { key: "write", icon: "write", to: "/feed/compose" },
    { key: "wallet", icon: "wallet", to: "/packets" },
    { key: "talk", icon: "feed", to: "/feed" },
  ];
  return all.filter((entry) => entry !== false).slice(0, 3);
}
