import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Post, StreamEvent } from "@/api/shapes";
import { allEntries, forget, openFor } from "@/store/db";
import { useFeed } from "@/store/feed";
import { useOutbox } from "@/store/outbox";

const LIN = "lin";
let seq = 0;
const post = (id: string, more: Partial<Post> = {}): Post =>
  ({ id, type: "post", version: 1, author: { id: "wei", name: "Wei", title: "" }, on_behalf_of: null, subject: null, body: id, body_html: id, response: "none", published_at: "2026-11-22T00:00:00Z", expires_at: null, edited_at: null, publish_seq: 1, activity_seq: 1, comment_count: 0, reactions: {}, mine: { seen_at: null, acknowledged_at: null, answer: null, reactions: [] }, ...more }) as Post;
const published = (made: Post): StreamEvent => {
  const { mine: _mine, ...shared } = made;
  return { seq: ++seq, kind: "feeds.post_published", ref: made.id, version: 1, data: { post_id: made.id, post: shared } };
};
const heard = (kind: string, data: Record<string, unknown>): StreamEvent => ({ seq: ++seq, kind, ref: null, version: 1, data });

async function opened(items: Post[], pinned: Post[] = []) {
  answerWith({ status: 200, body: { items, next_cursor: null } }, { status: 200, body: { items: pinned, next_cursor: null } });
  const feed = useFeed();
  await feed.refresh();
  return feed;
}

beforeEach(async () => {
  await forget(LIN);
  signInAs(LIN);
  openFor(LIN);
  setActivePinia(createPinia());
});

describe("the feed", () => {
  it("lets what is new wait above what is being read", async () => {
    const feed = await opened([post("a")]);
    feed.hear(published(post("b")));
    feed.hear(published(post("b")));
    expect([feed.order, feed.fresh]).toEqual([["a"], ["b"]]);
    feed.showFresh();
    expect([feed.order, feed.fresh]).toEqual([["b", "a"], []]);
  });

  it("puts an announcement on top until I have acknowledged it", async () => {
    const feed = await opened([]);
    feed.hear(published(post("must", { type: "announcement", response: "acknowledge" })));
    expect(feed.onTop.map((one) => one.id)).toEqual(["must"]);
    feed.hear(heard("feeds.acknowledged", { post_id: "must", acknowledged_at: "2026-11-22T01:00:00Z", answer: null }));
    expect([feed.onTop, feed.below.map((one) => one.id)]).toEqual([[], ["must"]]);
    expect(feed.posts.must?.mine.acknowledged_at).toBe("2026-11-22T01:00:00Z");
  });

  it("lets an announcement wait above too, and has it on top for whoever comes to the list", async () => {
    const feed = await opened([post("a")]);
    feed.hear(published(post("must", { type: "announcement", response: "acknowledge" })));
    expect([feed.fresh, feed.shownOnTop]).toEqual([["must"], []]);
    feed.showPinned();
    expect([feed.fresh, feed.shownOnTop.map((one) => one.id), feed.below.map((one) => one.id)]).toEqual([[], ["must"], ["a"]]);
  });

  it("leaves the list as it is read when it is read again, without what is gone", async () => {
    const feed = await opened([post("c", { publish_seq: 3 }), post("b", { publish_seq: 2 }), post("a", { publish_seq: 1 })]);
    feed.isRead = true;
    const must = post("must", { publish_seq: 5, response: "acknowledge" });
    await opened([must, post("d", { publish_seq: 4 }), post("c", { publish_seq: 3 }), post("a", { publish_seq: 1 })], [must]);
    expect([feed.order, feed.fresh, feed.shownOnTop]).toEqual([["c", "a"], ["must", "d"], []]);
    feed.hear(published(post("e", { publish_seq: 6 })));
    feed.showFresh();
    expect([feed.order, feed.fresh, feed.shownOnTop.map((one) => one.id)]).toEqual([["e", "must", "d", "c", "a"], [], ["must"]]);
  });

  it("keeps what is mine of an item that others change", async () => {
    const feed = await opened([post("a", { mine: { seen_at: null, acknowledged_at: null, answer: null, reactions: ["like"] } })]);
    feed.hear(heard("feeds.post_changed", { post_id: "a", post: { ...post("a", { body_html: "new" }), mine: undefined } }));
    feed.hear(heard("feeds.reactions_changed", { post_id: "a", reactions: { like: 7 } }));
    expect(feed.posts.a).toMatchObject({ body_html: "new", reactions: { like: 7 }, mine: { reactions: ["like"] } });
  });

  it("forgets an item that was taken back, wherever it was shown", async () => {
    const must = post("must", { response: "acknowledge" });
    const feed = await opened([post("a"), must], [must]);
    feed.hear(heard("feeds.post_removed", { post_id: "must" }));
    expect([feed.order, feed.pinned, Object.keys(feed.posts)]).toEqual([["a"], [], ["a"]]);
  });

  it("leaves done what I did while the server has not heard of it", async () => {
    const must = post("must", { response: "acknowledge", reactions: { like: 1 } });
    const feed = await opened([must], [must]);
    answerWith(null);
    await feed.acknowledge("must", "yes");
    await feed.react("must", "like");
    await opened([must], [must]);
    expect(feed.posts.must).toMatchObject({ reactions: { like: 2 }, mine: { answer: "yes", reactions: ["like"] } });
    expect(feed.posts.must?.mine.acknowledged_at).not.toBeNull();
  });

  it("takes back what the server refused, says why, and shows what the server has", async () => {
    const must = post("must", { response: "acknowledge", reactions: { like: 1 } });
    const feed = await opened([must], [must]);
    answerWith({ status: 409, body: { code: "feeds.not_asked", detail: "不需要确认" } }, { status: 200, body: must });
    await feed.acknowledge("must", "yes");
    await vi.waitUntil(() => feed.refusals.must);
    expect([feed.refusals.must, feed.posts.must?.mine, feed.onTop.length]).toEqual(["不需要确认", must.mine, 1]);
    answerWith({ status: 404, body: { code: "not_found" } });
    await feed.react("must", "like");
    await vi.waitUntil(() => feed.posts.must?.reactions.like === 1);
    expect([feed.posts.must?.mine.reactions, useOutbox().entries, await allEntries()]).toEqual([[], [], []]);
  });

  it("misses nothing that happens while its first page is on the way", async () => {
    answerWith({ status: 200, body: { items: [post("a")], next_cursor: null } }, { status: 200, body: { items: [], next_cursor: null } });
    const feed = useFeed();
    const reading = feed.begin();
    feed.hear(published(post("b")));
    feed.hear(heard("feeds.reactions_changed", { post_id: "a", reactions: { like: 7 } }));
    await Promise.all([reading, feed.begin()]);
    expect([feed.order, feed.fresh, feed.posts.a?.reactions]).toEqual([["a"], ["b"], { like: 7 }]);
  });

  it("is read by whoever needs it first, and again only where that failed", async () => {
    const asked = answerWith(null);
    const feed = useFeed();
    await feed.begin();
    expect([feed.isLoaded, feed.problem?.isOffline]).toEqual([false, true]);
    answerWith({ status: 200, body: { items: [post("a")], next_cursor: null } });
    await feed.begin();
    expect([feed.isLoaded, feed.problem, asked.mock.calls.length]).toEqual([true, null, 2]);
  });

  it("says why the next page is not there, and has it when asked again", async () => {
    answerWith({ status: 200, body: { items: [post("b")], next_cursor: "older" } }, { status: 200, body: { items: [], next_cursor: null } });
    const feed = useFeed();
    await feed.refresh();
    answerWith({ status: 500 });
    await feed.more();
    expect([feed.problem, feed.moreProblem?.status, feed.order]).toEqual([null, 500, ["b"]]);
    answerWith({ status: 200, body: { items: [post("a")], next_cursor: null } });
    await feed.more();
    expect([feed.moreProblem, feed.order]).toEqual([null, ["b", "a"]]);
  });

  it("opens to what was kept when there is no network", async () => {
    await opened([post("a")], [post("must", { response: "acknowledge" })]);
    setActivePinia(createPinia());
    answerWith(null);
    const again = useFeed();
    await again.restore();
    await again.refresh();
    expect([again.onTop.map((one) => one.id), again.below.map((one) => one.id)]).toEqual([["must"], ["a"]]);
    expect(again.problem?.isOffline).toBe(true);
  });
});
