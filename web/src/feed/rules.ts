// Pure decisions about items of the feed.
import type { Post } from "@/api/shapes";
import type { Entry } from "@/store/outbox";

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

/** What its reader did stays done while the server has not heard of it, whatever it answers meanwhile. */
export const asLeft = (post: Post, waiting: Entry[]): Post =>
  waiting.filter((entry) => entry.path.startsWith(`/posts/${post.id}/`)).reduce(withDone, post);

function withDone(post: Post, { kind, path, method, body, madeAt }: Entry): Post {
  if (kind === "reaction") return withReaction(post, path.split("/").at(-1) ?? "", method === "PUT");
  if (kind !== "acknowledgement" || post.mine.acknowledged_at) return post;
  return { ...post, mine: { ...post.mine, acknowledged_at: madeAt, answer: body.answer as string | null } };
}

function withReaction(post: Post, reaction: string, on: boolean): Post {
  const mine = post.mine.reactions;
  if (mine.includes(reaction) === on) return post;
  const count = Math.max(0, (post.reactions[reaction] ?? 0) + (on ? 1 : -1));
  const reactions = on ? [...mine, reaction] : mine.filter((other) => other !== reaction);
  return { ...post, reactions: { ...post.reactions, [reaction]: count }, mine: { ...post.mine, reactions } };
}

/** Only tracked items are noted as seen. */
export const isTracked = (post: Post): boolean => post.response !== "none" && !post.mine.seen_at;
