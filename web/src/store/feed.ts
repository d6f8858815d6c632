// The feed: pages from the server, changed by the stream; what is new waits above until the reader asks for it.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { dropDraft, keep, recall } from "./db";
import { answerKey } from "./drafts";
import { type Entry, useOutbox } from "./outbox";
import { thisStay } from "./stay";
import { get } from "@/api/call";
import { now } from "@/app/clock";
import { asProblem, type Problem } from "@/api/problem";
import type { Page, Post, StreamEvent, WholePost } from "@/api/shapes";
import { asLeft, mustRespond, withoutMine } from "@/feed/rules";
import { useMe } from "./me";

const KEY = "feed";
const PAGE = 20;
const KEPT_MAX = 60;

const idIn = (entry: Entry): string => entry.path.split("/")[2] as string;

/** The newest pages as they were read while somebody was reading older ones. */
type Reading = { page: Page<Post>; top: Page<Post> };
type Kept = { posts: Post[]; pinned: string[]; cursor: string | null };

const idsOf = (page: Page<Post>): string[] => page.items.map((post) => post.id);

export const useFeed = defineStore("feed", () => {
  const posts = ref<Record<string, Post>>({});
  const order = ref<string[]>([]);
  const fresh = ref<string[]>([]);
  const pinned = ref<string[]>([]);
  const cursor = ref<string | null>(null);
  const isBegun = ref(false);
  const isLoaded = ref(false);
  const isLoading = ref(false);
  const problem = ref<Problem | null>(null);
  /** Why the server did not take my acknowledgement, by the item it was for. */
  const refusals = ref<Record<string, string>>({});
  const moreProblem = ref<Problem | null>(null);
  const outbox = useOutbox();
  const me = useMe();
  /** Heard while pages were on their way, which may not know of it. */
  const heardMeanwhile: StreamEvent[] = [];
  /** Somebody has scrolled down: nothing comes in above them or changes places. */
  const isRead = ref(false);
  let held: Reading | null = null;
  let reading = 0;
  let asked = 0;
  let shown = 0;

  const listed = (ids: string[]): Post[] => ids.map((id) => posts.value[id]).filter((post) => post !== undefined);
  const onTop = computed(() => listed(pinned.value));
  /** On top of the list: what has arrived while it is on the screen waits with all else that is new. */
  const shownOnTop = computed(() => onTop.value.filter((post) => !fresh.value.includes(post.id)));
  const below = computed(() => listed(order.value.filter((id) => !pinned.value.includes(id))));
  const sending = computed(() => outbox.entries.filter((entry) => entry.kind === "post").reverse());

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const kept = await recall<Kept>(KEY);
    if (!isStill() || !kept || isLoaded.value) return;
    put(kept.posts);
    order.value = kept.posts.filter((post) => !kept.pinned.includes(post.id)).map((post) => post.id);
    pinned.value = kept.pinned;
    cursor.value = kept.cursor;
    isLoaded.value = true;
  }

  /** Read once, by whoever needs it first; the stream changes it from then on. */
  async function begin(): Promise<void> {
    if (!isBegun.value) await refresh();
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    const mine = ++asked;
    isBegun.value = true;
    beginReading();
    try {
      const [page, top] = await Promise.all([get<Page<Post>>(`/feed?limit=${PAGE}`), get<Page<Post>>("/feed/pinned")]);
      // Two readings may overtake each other; the one asked for later is the newer.
      if (!isStill() || mine < shown) return;
      shown = mine;
      if (isRead.value) hold({ page, top });
      else show({ page, top });
      isLoaded.value = true;
      problem.value = null;
      save();
    } catch (error) {
      if (isStill() && mine === asked) [problem.value, isBegun.value] = [asProblem(error), false];
    } finally {
      endReading();
    }
  }

  function show({ page, top }: Reading): void {
    put([...page.items, ...top.items]);
    [order.value, pinned.value] = [idsOf(page), idsOf(top)];
    [fresh.value, cursor.value, held] = [[], page.next_cursor, null];
  }

  /** Leave the list as it is read, without what is gone; the rest waits above. */
  function hold(read: Reading): void {
    const { page, top } = read;
    const oldest = page.next_cursor ? Math.min(...page.items.map((post) => post.publish_seq)) : -Infinity;
    const known = new Set([...order.value, ...shownOnTop.value.map((post) => post.id)]);
    put([...page.items, ...top.items]);
    const ids = idsOf(page);
    order.value = order.value.filter((id) => ids.includes(id) || (posts.value[id]?.publish_seq ?? 0) < oldest);
    pinned.value = idsOf(top);
    fresh.value = [...new Set([...idsOf(top), ...ids])].filter((id) => !known.has(id));
    held = fresh.value.length ? read : null;
  }

  async function more(): Promise<void> {
    if (!cursor.value || isLoading.value) return;
    const isStill = thisStay();
    moreProblem.value = null;
    beginReading();
    try {
      const page = await get<Page<Post>>(`/feed?limit=${PAGE}&cursor=${encodeURIComponent(cursor.value)}`);
      if (!isStill()) return;
      put(page.items);
      order.value = [...order.value, ...page.items.map((post) => post.id).filter((id) => !order.value.includes(id))];
      cursor.value = page.next_cursor;
    } catch (error) {
      if (isStill()) moreProblem.value = asProblem(error);
    } finally {
      endReading();
    }
  }

  async function open(id: string): Promise<WholePost> {
    const isStill = thisStay();
    const whole = await get<WholePost>(`/posts/${id}`);
    if (isStill()) put([whole]);
    return whole;
  }

  /** What another screen has read, so that it changes and reacts here as everywhere. */
  function adopt(items: Post[]): string[] {
    put(items);
    return items.map((post) => post.id);
  }

  /** Let what has arrived meanwhile into the list. */
  function showFresh(): void {
    if (held) [order.value, cursor.value] = [idsOf(held.page), held.page.next_cursor];
    order.value = [...fresh.value.filter((id) => !order.value.includes(id)), ...order.value];
    [fresh.value, held] = [[], null];
    save();
  }

  /** Whoever comes to the list finds all that must be acknowledged on top. */
  function showPinned(): void {
    order.value = [...fresh.value.filter((id) => pinned.value.includes(id)), ...order.value];
    fresh.value = fresh.value.filter((id) => !pinned.value.includes(id));
  }

  function hear(event: StreamEvent): void {
    if (reading) heardMeanwhile.push(event);
    take(event);
  }

  function beginReading(): void {
    reading += 1;
    isLoading.value = true;
  }

  /** An event says how things are, so taking it twice does no harm. */
  function endReading(): void {
    reading -= 1;
    if (reading) return;
    isLoading.value = false;
    heardMeanwhile.splice(0).forEach(take);
  }

  function take(event: StreamEvent): void {
    const id = (event.data.post_id as string | undefined) ?? event.ref ?? "";
    if (event.kind === "feeds.post_published") void arrive(id, event.data.post as Post | null);
    else if (event.kind === "feeds.post_changed") void change(id, event.data.post as Post | null);
    else if (event.kind === "feeds.post_removed") drop(id);
    else if (event.kind === "feeds.seen") (event.data.post_ids as string[]).forEach((seen) => setMine(seen, { seen_at: String(event.data.seen_at) }));
    else if (event.kind === "feeds.acknowledged") acknowledged(id, event.data);
    else if (event.kind === "feeds.reacted") setReaction(id, String(event.data.reaction), Boolean(event.data.on));
    else if (posts.value[id]) touch(event, id);
  }

  function touch(event: StreamEvent, id: string): void {
    const post = posts.value[id] as Post;
    if (event.kind === "feeds.reactions_changed") post.reactions = event.data.reactions as Record<string, number>;
    if (event.kind === "feeds.comment_added") post.comment_count = Number(event.data.comment_count);
  }

  async function arrive(id: string, shared: Post | null): Promise<void> {
    if (isListed(id)) return;
    const isStill = thisStay();
    const post = shared ? withoutMine(shared) : await get<Post>(`/posts/${id}`).catch(() => null);
    if (!isStill() || !post || !isLoaded.value || isListed(id)) return;
    put([post]);
    const isMine = post.author.id === me.id;
    if (isMine) order.value = [id, ...order.value];
    else if (!fresh.value.includes(id)) fresh.value = [id, ...fresh.value];
    if (!isMine && mustRespond(post) && !pinned.value.includes(id)) pinned.value = [...pinned.value, id];
    save();
  }

  const isListed = (id: string): boolean => posts.value[id] !== undefined && (order.value.includes(id) || fresh.value.includes(id));

  async function change(id: string, shared: Post | null): Promise<void> {
    const known = posts.value[id];
    if (!known) return;
    const isStill = thisStay();
    if (shared) put([{ ...shared, mine: known.mine }]);
    else await open(id).catch(() => undefined);
    if (isStill()) save();
  }

  function drop(id: string): void {
    for (const list of [order, fresh, pinned]) list.value = list.value.filter((other) => other !== id);
    const { [id]: _gone, ...rest } = posts.value;
    posts.value = rest;
    save();
  }

  function acknowledged(id: string, said: Record<string, unknown>): void {
    pinned.value = pinned.value.filter((other) => other !== id);
    if (posts.value[id] && !order.value.includes(id)) order.value = [id, ...order.value];
    fresh.value = fresh.value.filter((other) => other !== id);
    setMine(id, { acknowledged_at: String(said.acknowledged_at), answer: (said.answer as string | null) ?? null });
    save();
  }

  /** Acknowledge now; the server hears of it as soon as it can be reached. */
  async function acknowledge(id: string, answer: string | null): Promise<void> {
    forgetRefusal(id);
    setMine(id, { acknowledged_at: new Date(now()).toISOString(), answer });
    await outbox.add({ kind: "acknowledgement", method: "POST", path: `/posts/${id}/acknowledgement`, body: { answer } });
  }

  function taken(entry: Entry, answer: unknown): void {
    acknowledged(idIn(entry), answer as Record<string, unknown>);
    void dropDraft(answerKey(idIn(entry)));
  }

  /** What was shown as done was not: take it back, say why, and show what the server has. */
  function refused(entry: Entry): void {
    const id = idIn(entry);
    if (entry.kind === "acknowledgement") {
      setMine(id, { acknowledged_at: null, answer: null });
      refusals.value = { ...refusals.value, [id]: entry.refusal ?? "" };
    } else undo(id, entry);
    void outbox.remove(entry.id);
    void change(id, null);
  }

  function undo(id: string, { path, method }: Entry): void {
    const [kind, wasOn] = [path.split("/").at(-1) ?? "", method === "PUT"];
    if (posts.value[id]?.mine.reactions.includes(kind) !== wasOn) return;
    count(id, kind, wasOn ? -1 : 1);
    setReaction(id, kind, !wasOn);
  }

  function forgetRefusal(id: string): void {
    const { [id]: _told, ...others } = refusals.value;
    refusals.value = others;
  }

  async function react(id: string, kind: string): Promise<void> {
    const on = !posts.value[id]?.mine.reactions.includes(kind);
    count(id, kind, on ? 1 : -1);
    setReaction(id, kind, on);
    await outbox.add({ kind: "reaction", method: on ? "PUT" : "DELETE", path: `/posts/${id}/reactions/${kind}`, body: {} });
  }

  function count(id: string, kind: string, step: number): void {
    const post = posts.value[id];
    if (post) post.reactions = { ...post.reactions, [kind]: Math.max(0, (post.reactions[kind] ?? 0) + step) };
  }

  function setReaction(id: string, kind: string, on: boolean): void {
    const others = posts.value[id]?.mine.reactions.filter((other) => other !== kind) ?? [];
    setMine(id, { reactions: on ? [...others, kind] : others });
  }

  function setMine(id: string, part: Partial<Post["mine"]>): void {
    const post = posts.value[id];
    if (post) post.mine = { ...post.mine, ...part };
  }

  function put(items: Post[]): void {
    posts.value = { ...posts.value, ...Object.fromEntries(items.map((post) => [post.id, asLeft(post, outbox.waiting)])) };
  }

  function published(_entry: Entry, answer: unknown): void {
    const post = answer as WholePost;
    put([post]);
    if (!order.value.includes(post.id)) order.value = [post.id, ...order.value];
    fresh.value = fresh.value.filter((id) => id !== post.id);
    save();
  }

  outbox.whenSettled("post", published);
  outbox.whenSettled("acknowledgement", taken, refused);
  outbox.whenSettled("reaction", () => undefined, refused);

  function save(): void {
    const kept = [...new Set([...pinned.value, ...order.value])].slice(0, KEPT_MAX);
    void keep(KEY, { posts: listed(kept), pinned: pinned.value, cursor: cursor.value } satisfies Kept);
  }

  function clear(): void {
    heardMeanwhile.length = 0;
    [held, isRead.value] = [null, false];
    [posts.value, order.value, fresh.value, pinned.value, cursor.value] = [{}, [], [], [], null];
    [isBegun.value, isLoaded.value, problem.value, moreProblem.value, refusals.value] = [false, false, null, null, {}];
  }

  return {
    ...{ posts, order, fresh, pinned, cursor, isBegun, isLoaded, isLoading, isRead, problem, moreProblem, refusals, onTop, shownOnTop, below, sending },
    ...{ restore, begin, refresh, more, open, adopt, showFresh, showPinned, hear, acknowledge, react, clear },
  };
});
