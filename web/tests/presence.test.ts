import { signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { whenIdle } from "@/app/idle";
import { noteAnswer } from "@/app/network";
import { person } from "@/api/session";
import type { Person, StreamEvent } from "@/api/shapes";
import type { Hearers } from "@/api/stream";
import { useApprovals } from "@/store/approvals";
import { forget, keep, recall } from "@/store/db";
import { useDocuments } from "@/store/documents";
import { useFeed } from "@/store/feed";
import { useHome } from "@/store/home";
import { useMe } from "@/store/me";
import { useNotices } from "@/store/notices";
import { usePackets } from "@/store/packets";
import { followSignIn } from "@/store/presence";
import { keepSeen, recallSeen } from "@/store/seen";

const stream = vi.hoisted(() => ({ tell: (_kind: string): void => undefined }));
vi.mock("@/api/stream", () => ({
  Stream: class {
    isPlaced = Promise.resolve();
    stop = () => undefined;
    constructor(hearers: Hearers) {
      stream.tell = (kind) => hearers.hear({ kind, data: {} } as unknown as StreamEvent);
    }
  },
}));

let bodies: Record<string, object>;
let asked: string[] = [];
let hasNetwork = true;

async function fetched(url: string): Promise<Response> {
  const path = url.replace(/^\/api\/v1|\?.*$/g, "");
  asked.push(path);
  if (!hasNetwork) throw new TypeError("network");
  return Response.json(bodies[path] ?? { items: [], next_cursor: null, unread: 0, counted_to: 0, through: 0, version: 0 });
}

beforeEach(async () => {
  await forget("lin");
  vi.stubGlobal("fetch", fetched);
  [asked, hasNetwork] = [[], true];
  bodies = { "/me": { permissions: [], units: [] }, "/home": { cards: [] } };
  setActivePinia(createPinia());
  signInAs("lin");
  person.value = { id: "lin", name: "Lin", login: "lin", title: "" } as Person;
});

describe("the start", () => {
  it("reads who I am, and then one after another what is not on the screen", async () => {
    await followSignIn();
    expect(asked).toEqual(["/me", "/directory/units", "/feed", "/feed/pinned", "/notifications"]);
  });

  it("reads nothing twice that a screen has read already", async () => {
    const begun = followSignIn();
    await useFeed().begin();
    await begun;
    expect(asked.filter((path) => path === "/feed")).toHaveLength(1);
  });

  it("without a network reads when it is back what it could not read before", async () => {
    hasNetwork = false;
    await Promise.all([followSignIn(), useHome().refresh()]);
    [asked, hasNetwork] = [[], true];
    noteAnswer();
    await vi.waitUntil(() => asked.includes("/notifications"));
    expect(asked.sort()).toEqual(["/directory/units", "/feed", "/feed/pinned", "/home", "/me", "/notifications"]);
  });
});

describe("when what I may see has changed", () => {
  it("what I have seen is kept no more, and what a screen is about otherwise stays", async () => {
    await followSignIn();
    await Promise.all([keepSeen("/budgets/b", { id: "b" }), keepSeen("/payouts?limit=20", { items: [] }), keep("wallet", { entries: [] })]);
    stream.tell("people.access_changed");
    await vi.waitUntil(async () => !(await recallSeen("/payouts?limit=20")));
    expect([await recallSeen("/budgets/b"), await recall("wallet")]).toEqual([undefined, { entries: [] }]);
  });
});

describe("what waits for my decision", () => {
  const mayPay = { permissions: ["redpackets.payout"], units: [] };

  it("is read when I am given the right to decide", async () => {
    await followSignIn();
    // Whatever the start put off is done.
    await whenIdle(() => undefined);
    bodies["/me"] = mayPay;
    stream.tell("people.access_changed");
    await vi.waitUntil(() => asked.includes("/payouts"));
  });

  it("is read when there is a network again, and I know that I may", async () => {
    bodies["/me"] = mayPay;
    hasNetwork = false;
    await followSignIn();
    [asked, hasNetwork] = [[], true];
    noteAnswer();
    await vi.waitUntil(() => asked.includes("/payouts"));
  });
});

describe("what was asked for by who has left", () => {
  const MARK = "of lin";
  const OF_LIN: Record<string, object> = { "/me": { name: MARK }, "/home": { cards: [{ key: MARK }] }, "/red-packets/p": { id: MARK }, "/approvals/a": { id: MARK } };
  const ITEMS_OF_LIN = { items: [{ id: MARK, number: 1, link: "" }], next_cursor: MARK, unread: 3, counted_to: 1, through: 0, version: 9, balances: [MARK] };

  /** All that the stores show, and what is kept of it. */
  const shown = async () => {
    const [me, home, feed, packets, notices, approvals, documents] = [useMe(), useHome(), useFeed(), usePackets(), useNotices(), useApprovals(), useDocuments()];
    const all = [me.me, me.units, home.home, feed.posts, feed.order, feed.cursor, packets.wallet, packets.entries, packets.cursor, packets.budgets, packets.packets, notices.items, approvals.waiting, approvals.cursor, documents.shown, documents.details];
    const problems = [home.problem, feed.problem, packets.problem, notices.problem, approvals.problem, documents.problem];
    const kept = await Promise.all(["me", "units", "home", "feed", "wallet", "notices", "documents"].map(recall));
    return JSON.stringify([all, problems, kept]);
  };
  const read = (): Promise<unknown>[] => [useMe().refresh(), useHome().refresh(), useFeed().refresh(), usePackets().refresh(), usePackets().read("p"), usePackets().readBudgets(), useNotices().refresh(), useApprovals().refresh(), useDocuments().refresh(), useDocuments().read("a")];

  it.each(["answer", "refuse"])("is not shown to who came, nor kept for them, when the server comes to %s", async (how) => {
    await forget("wei");
    await followSignIn();
    asked = [];
    const late: (() => void)[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      if (person.value?.id !== "lin") return fetched(url);
      const path = url.replace(/^\/api\/v1|\?.*$/g, "");
      const answer = how === "answer" ? Response.json(OF_LIN[path] ?? ITEMS_OF_LIN) : Response.json({ code: MARK }, { status: 403 });
      return new Promise<Response>((resolve) => late.push(() => resolve(answer)));
    });
    const readings = read();
    await vi.waitUntil(() => late.length >= readings.length + 3);
    signInAs("wei");
    await vi.waitUntil(() => asked.includes("/me"));
    late.forEach((comes) => comes());
    await Promise.allSettled(readings);
    expect(await shown()).not.toContain(MARK);
  });
});
