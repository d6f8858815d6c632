import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick } from "vue";
import type { Home, Me, Post } from "@/api/shapes";
import { useWaiting } from "@/figures/useWaiting";
import { useFeed } from "@/store/feed";
import { useHome } from "@/store/home";
import { useMe } from "@/store/me";

const waiting = () => effectScope().run(useWaiting)!;
const announced = { id: "must", response: "acknowledge", subject: null, author: { id: "wei" } } as unknown as Post;

const envelope = (seq: number): Post => ({ id: `post-${seq}`, publish_seq: seq, author: { id: "wei" }, subject: { kind: "packet", id: `packet-${seq}`, data: { expires_at: "2099-01-01T00:00:00Z" } } }) as unknown as Post;

async function feedIsRead(pinned: Post[], items: Post[] = []): Promise<void> {
  answerWith({ status: 200, body: { items, next_cursor: null } }, { status: 200, body: { items: pinned, next_cursor: null } });
  await useFeed().refresh();
}

beforeEach(() => {
  localStorage.removeItem("workspace.waiting");
  signInAs("lin");
  setActivePinia(createPinia());
  useMe().me = { permissions: [] } as unknown as Me;
});

describe("what waits for me", () => {
  it("has its room before it is known, and the next time as much as it had", async () => {
    const first = waiting();
    expect([first.rows.value, first.room.value]).toEqual([[], 1]);
    await feedIsRead([announced]);
    useHome().home = { badges: { approvals: 3 }, cards: [] } as unknown as Home;
    expect([first.rows.value.map((row) => row.key), first.room.value]).toEqual([["acknowledge", "approve"], 2]);
    await nextTick();
    [useFeed(), useHome()].forEach((store) => store.clear());
    expect(waiting().room.value).toBe(2);
  });

  it("takes no room where nothing waits", async () => {
    const { room } = waiting();
    await feedIsRead([]);
    expect(room.value).toBe(0);
  });

  it("grows beyond what was expected", async () => {
    localStorage.setItem("workspace.waiting", "0");
    const { room } = waiting();
    expect(room.value).toBe(0);
    useHome().home = { badges: { approvals: 3 }, cards: [] } as unknown as Home;
    expect(room.value).toBe(1);
  });

  it("asks about the newest packets, in one call", async () => {
    await feedIsRead([], [9, 8, 7, 6, 5, 4, 3, 2].map(envelope));
    useFeed().adopt([envelope(10)]);
    const asked = answerWith(null);
    waiting();
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
    expect(String(asked.mock.calls[0]![0])).toContain(`ids=${[10, 9, 8, 7, 6, 5].map((seq) => `packet-${seq}`).join(",")}`);
  });
});
