// Pure decisions about items of the feed.
import type { Post } from "@/api/shapes";

export const BODY_LENGTH_MAX = 20_000;
export const COMMENT_LENGTH_MAX = 5_000;
export const REACTIONS = { like: "👍", love: "❤️", celebrate: "🎉", support: "💪", laugh: "😄" } as const;

/** A reader has to act, so the item stays on top until then. */
export const mustRespond = (post: Pick<Post, "response">): boolean => post.response === "acknowledge" || post.response === "answer";

/** An event carries what all readers share; nothing of it is mine yet. */
export const withoutMine = (shared: Post): Post => ({
  ...shared,
  mine: shared.mine ?? { seen_at: null, acknowledged_at: null, answer: null, reactions: [] },
});

/** Only tracked items are noted as seen. */
export const isTracked = (post: Post): boolean => post.response !== "none" && !post.mine.seen_at;
