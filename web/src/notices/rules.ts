// Pure decisions about what I was told: which of two counts is the newer, and what was heard beyond it.
import type { Unread } from "@/api/shapes";

/** The server counts no further; nobody reads a larger number. */
export const UNREAD_MAX = 100;

export const NOTHING_COUNTED: Unread = { unread: 0, counted_to: 0, through: 0, version: 0 };

/** Answers and events may overtake each other: a count that reading has since changed is the older one. */
export const newer = (held: Unread, other: Unread): Unread =>
  other.version > held.version || (other.version === held.version && other.counted_to >= held.counted_to) ? other : held;

/** What was counted, and what was heard since. */
export const unreadOf = (counted: Unread, heard: number[]): number =>
  Math.min(UNREAD_MAX, counted.unread + heard.filter((number) => number > counted.counted_to).length);
