import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { person } from "@/api/session";
import type { Notification, Person, StreamEvent, Unread } from "@/api/shapes";
import { newer, unreadOf } from "@/notices/rules";
import { placeOf } from "@/notices/places";
import { forget, openFor } from "@/store/db";
import { useNotices } from "@/store/notices";

const LIN = "lin";
const item = (number: number, more: Partial<Notification> = {}): Notification =>
  ({ id: `n${number}`, number, kind: "tests.news", title: `T${number}`, body: "", link: `/posts/${number}`, created_at: "2026-11-22T00:00:00Z", read: false, ...more }) as Notification;
const counted = (unread: number, counted_to: number, version = 0, through = 0): Unread => ({ unread, counted_to, through, version }) as Unread;
const told = (number: number, except: string | null = null): StreamEvent => ({
  seq: number, kind: "delivery.notice_told", ref: `n${number}`, version: 0,
  data: { notice_id: `n${number}`, number, about: "tests.news", title: { zh: "题", en: "T" }, body: { zh: "", en: "" }, link: `/posts/${number}`, except_person_id: except, created_at: "2026-11-22T00:00:00Z" },
});
const wasRead = (data: Unread & { notice_ids: string[] }): StreamEvent => ({ seq: 99, kind: "delivery.notices_read", ref: null, version: 0, data });

async function opened(items: Notification[], count: Unread) {
  answerWith({ status: 200, body: { items, next_cursor: null, ...count } });
  const notices = useNotices();
  await notices.refresh();
  return notices;
}

beforeEach(async () => {
  await forget(LIN);
  signInAs(LIN);
  person.value = { id: LIN, name: "Lin", login: "lin", title: "" } as Person;
  openFor(LIN);
  setActivePinia(createPinia());
});

describe("the count", () => {
  it("adds what was heard beyond what was counted, and no more", () => {
    expect(unreadOf(counted(2, 10), [9, 10, 11, 12])).toBe(4);
    expect(unreadOf(counted(99, 10), [11, 12])).toBe(100);
  });

  it("prefers the newer of two counts, however they overtake each other", () => {
    const held = counted(3, 10, 1);
    expect(newer(held, counted(5, 12, 0))).toBe(held);
    expect(newer(held, counted(5, 9, 1))).toBe(held);
    expect(newer(held, counted(0, 9, 2)).unread).toBe(0);
  });
});

describe("what I was told", () => {
  it("grows by what the stream tells, once each, and not by what I did myself", async () => {
    const notices = await opened([item(1)], counted(1, 1));
    for (const event of [told(2), told(2), told(3, LIN), told(1)]) notices.hear(event);
    expect([notices.items.map((one) => one.number), notices.unread]).toEqual([[2, 1], 2]);
  });

  it("is read here as soon as it was read on another device", async () => {
    const notices = await opened([item(2), item(1)], counted(2, 2));
    notices.hear(wasRead({ ...counted(1, 2, 1), notice_ids: ["n2"] }));
    expect([notices.items.map((one) => one.read), notices.unread]).toEqual([[true, false], 1]);
    notices.hear(told(3));
    notices.hear(wasRead({ ...counted(0, 3, 2, 3), notice_ids: [] }));
    expect([notices.items.every((one) => one.read), notices.unread]).toEqual([true, 0]);
  });

  it("is read by whoever looks at what it is about, also without a network", async () => {
    const notices = await opened([item(2), item(1)], counted(2, 2));
    answerWith(null);
    notices.readAbout("/posts/2");
    expect([notices.items.map((one) => one.read), notices.unread]).toEqual([[true, false], 1]);
    await notices.readAll();
    expect(notices.unread).toBe(0);
  });

  it("opens to what was kept when there is no network", async () => {
    await opened([item(1)], counted(1, 1));
    setActivePinia(createPinia());
    answerWith(null);
    const again = useNotices();
    await again.restore();
    await again.refresh();
    expect([again.items.length, again.unread, again.problem?.isOffline]).toEqual([1, 1, true]);
  });
});

describe("where a notice leads", () => {
  const router = { resolve: (to: string) => ({ matched: [{ path: to.startsWith("/posts") || to === "/approvals" ? to : "/:lost(.*)*" }] }) } as never;

  it("stays inside the app, on a screen that is there", () => {
    expect(placeOf(router, "/posts/1")).toBe("/posts/1");
    expect(placeOf(router, "/red-packet-approvals")).toBe("/approvals");
    expect(placeOf(router, "/oversight/flags/1")).toBeNull();
    expect(placeOf(router, "//evil.example")).toBeNull();
    expect(placeOf(router, "https://evil.example")).toBeNull();
  });
});
