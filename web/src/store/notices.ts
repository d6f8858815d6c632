// What I was told: pages from the server, new ones and the read state from the stream, one count on all my devices.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { keep, recall } from "./db";
import { useMe } from "./me";
import { type Entry, useOutbox } from "./outbox";
import { thisStay } from "./stay";
import { locale } from "@/app/i18n";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Notification, Notifications, StreamEvent, Unread } from "@/api/shapes";
import { newer, NOTHING_COUNTED, unreadOf } from "@/notices/rules";

const KEY = "notices";
const PAGE = 20;
const KEPT_MAX = 60;
const HEARD_MAX = 200;

type Kept = { items: Notification[]; counted: Unread; cursor: string | null };

export const useNotices = defineStore("notices", () => {
  const items = ref<Notification[]>([]);
  const counted = ref<Unread>(NOTHING_COUNTED);
  /** Numbers of notices heard on the stream; which of them the count does not know follows from the count. */
  const heard = ref<number[]>([]);
  const cursor = ref<string | null>(null);
  const isBegun = ref(false);
  const isLoaded = ref(false);
  const problem = ref<Problem | null>(null);
  const unread = computed(() => unreadOf(counted.value, heard.value));
  const me = useMe();
  const outbox = useOutbox();

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const kept = await recall<Kept>(KEY);
    if (!isStill() || !kept || isLoaded.value) return;
    [items.value, counted.value, cursor.value, isLoaded.value] = [kept.items, kept.counted, kept.cursor, true];
  }

  /** Read once, by whoever needs it first; the stream changes it from then on. */
  async function begin(): Promise<void> {
    if (!isBegun.value) await refresh();
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    isBegun.value = true;
    try {
      const page = await get<Notifications>(`/notifications?limit=${PAGE}`);
      if (!isStill()) return;
      counted.value = newer(counted.value, page);
      items.value = merged(page.items, items.value.filter((item) => item.number > (page.items[0]?.number ?? Infinity)));
      [cursor.value, isLoaded.value, problem.value] = [page.next_cursor, true, null];
      save();
    } catch (error) {
      if (isStill()) [problem.value, isBegun.value] = [asProblem(error), false];
    }
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    const isStill = thisStay();
    try {
      const page = await get<Notifications>(`/notifications?limit=${PAGE}&cursor=${encodeURIComponent(cursor.value)}`);
      if (!isStill()) return;
      items.value = merged(items.value, page.items);
      cursor.value = page.next_cursor;
    } catch (error) {
      if (isStill()) problem.value = asProblem(error);
    }
  }

  function hear(event: StreamEvent): void {
    if (event.kind === "delivery.notice_told") told(event.data);
    if (event.kind === "delivery.notices_read") wasRead(event.data);
  }

  function told(data: Record<string, unknown>): void {
    const number = Number(data.number);
    if (data.except_person_id === me.id || heard.value.includes(number)) return;
    heard.value = [...heard.value, number].slice(-HEARD_MAX);
    const inMine = (both: unknown): string => (both as Record<string, string>)[locale.value === "en" ? "en" : "zh"] ?? "";
    const item = { id: String(data.notice_id), number, kind: String(data.about), title: inMine(data.title), body: inMine(data.body), link: String(data.link), created_at: String(data.created_at), read: number <= counted.value.through };
    items.value = merged(items.value, [item]);
    save();
  }

  function wasRead(data: Record<string, unknown>): void {
    const now = data as unknown as Unread & { notice_ids: string[] };
    counted.value = newer(counted.value, now);
    mark((item) => item.number <= now.through || now.notice_ids.includes(item.id));
    save();
  }

  /** Read now; the server, and through it my other devices, hear of it as soon as it can be reached. */
  async function read(item: Notification): Promise<void> {
    if (item.read) return;
    lower(1);
    mark((other) => other.id === item.id);
    await send({ ids: [item.id] });
  }

  async function readAll(): Promise<void> {
    const newest = items.value[0];
    if (!newest || !unread.value) return;
    counted.value = { ...counted.value, unread: 0, counted_to: Math.max(counted.value.counted_to, newest.number) };
    mark(() => true);
    await send({ through: newest.number });
  }

  /** Whoever looks at what a notice is about has read the notice. */
  function readAbout(path: string): void {
    items.value.filter((item) => !item.read && item.link.split("?")[0] === path).forEach((item) => void read(item));
  }

  const send = (body: Record<string, unknown>): Promise<unknown> => {
    save();
    return outbox.add({ kind: "reading", method: "POST", path: "/notifications/read", body });
  };

  function lower(by: number): void {
    counted.value = { ...counted.value, unread: Math.max(0, counted.value.unread - by) };
  }

  function mark(isMeant: (item: Notification) => boolean): void {
    items.value = items.value.map((item) => (isMeant(item) ? { ...item, read: true } : item));
  }

  function save(): void {
    void keep(KEY, { items: items.value.slice(0, KEPT_MAX), counted: counted.value, cursor: cursor.value } satisfies Kept);
  }

  function clear(): void {
    [items.value, counted.value, heard.value, cursor.value] = [[], NOTHING_COUNTED, [], null];
    [isBegun.value, isLoaded.value, problem.value] = [false, false, null];
  }

  /** Nobody looks at a reading that was refused; what is read is as the server says. */
  function refused(entry: Entry): void {
    void outbox.remove(entry.id);
    void refresh();
  }

  outbox.whenSettled("reading", (_entry, answer) => {
    counted.value = newer(counted.value, answer as Unread);
    save();
  }, refused);

  return { items, counted, cursor, isBegun, isLoaded, problem, unread, restore, begin, refresh, more, hear, read, readAll, readAbout, clear };
});

function merged(first: Notification[], second: Notification[]): Notification[] {
  const known = new Set(first.map((item) => item.id));
  return [...first, ...second.filter((item) => !known.has(item.id))].sort((a, b) => b.number - a.number);
}
