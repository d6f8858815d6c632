import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Me, StreamEvent } from "@/api/shapes";
import { useDeciding } from "@/store/deciding";
import { useMe } from "@/store/me";

const page = (...items: object[]) => ({ status: 200, body: { items, next_cursor: null } });
const PAYOUTS = page({ id: "mine", state: "pending_approval", created_by: "lin" }, { id: "theirs", state: "pending_approval", created_by: "wei" }, { id: "done", state: "released", created_by: "wei" });
const PROPOSALS = page({ id: "a", owner: { id: "wei" } }, { id: "b", owner: { id: "lin" } });

const allow = (...permissions: string[]): void => void (useMe().me = { permissions } as unknown as Me);

beforeEach(() => {
  signInAs("lin");
  setActivePinia(createPinia());
});

describe("what waits for my decision", () => {
  it("is what others made", async () => {
    allow("redpackets.payout", "redpackets.approve");
    answerWith(PAYOUTS, PROPOSALS);
    await useDeciding().begin();
    expect([useDeciding().payouts.map((one) => one.id), useDeciding().proposals.map((one) => one.id)]).toEqual([["theirs"], ["a"]]);
  });

  it("is asked for by nobody who decides on nothing", async () => {
    allow("feeds.post");
    const asked = answerWith(PAYOUTS);
    await useDeciding().begin();
    useDeciding().hear({ kind: "redpackets.payout_changed", data: {} } as unknown as StreamEvent);
    expect(asked).not.toHaveBeenCalled();
  });

  it("is counted anew when the stream says that it moved", async () => {
    allow("redpackets.payout");
    answerWith(PAYOUTS, page());
    await useDeciding().begin();
    expect(useDeciding().payouts).toHaveLength(1);
    useDeciding().hear({ kind: "redpackets.payout_changed", data: {} } as unknown as StreamEvent);
    await vi.waitFor(() => expect(useDeciding().payouts).toHaveLength(0));
  });

  it("does not go back to an answer that was overtaken", async () => {
    allow("redpackets.payout");
    const answers: ((answer: Response) => void)[] = [];
    vi.stubGlobal("fetch", () => new Promise((resolve) => answers.push(resolve)));
    const both = Promise.all([useDeciding().refresh(), useDeciding().refresh()]);
    await vi.waitFor(() => expect(answers.length).toBe(2));
    answers[1]!(Response.json(page().body));
    answers[0]!(Response.json(PAYOUTS.body));
    await both;
    expect(useDeciding().payouts).toEqual([]);
  });

  it("stays as it was known where it cannot be read", async () => {
    allow("redpackets.payout");
    answerWith(PAYOUTS, null);
    await useDeciding().begin();
    await useDeciding().refresh();
    expect([useDeciding().payouts.length, useDeciding().problem?.isOffline]).toEqual([1, true]);
  });
});
