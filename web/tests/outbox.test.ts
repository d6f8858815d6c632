import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { learnTime } from "@/app/clock";
import { allEntries, close, forget, openFor } from "@/store/db";
import { useOutbox } from "@/store/outbox";
import { endStay } from "@/store/stay";

const DAY_MS = 86_400_000;
const POST = { kind: "post" as const, method: "POST", path: "/posts", body: { body: "hello" } };

const bodies = (asked: ReturnType<typeof answerWith>): string[] => asked.mock.calls.map(([, init]) => JSON.parse(String(init?.body)).body);

/** Lin leaves this tab, and Wei comes. */
function weiTakesOver(): void {
  endStay();
  useOutbox().clear();
  signInAs("wei");
  openFor("wei");
}

/** Let what has just been answered be dealt with. */
const aMoment = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 50));

/** A server that keeps its answer back until it is let go. */
function heldBack(answer: Response) {
  let letGo = (): void => undefined;
  const asked = vi.fn((_url: string, _init?: RequestInit) => new Promise<Response>((resolve) => (letGo = () => resolve(answer.clone()))));
  vi.stubGlobal("fetch", asked);
  return { asked, letGo: () => letGo() };
}

beforeEach(async () => {
  vi.useRealTimers();
  await forget("wei");
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("the outbox", () => {
  it("sends a write once, under the id it was kept with, and tells who waits for it", async () => {
    const asked = answerWith({ status: 201, body: { id: "p1" } });
    const outbox = useOutbox();
    const settled: unknown[] = [];
    outbox.whenSettled("post", (_entry, answer) => settled.push(answer));
    const entry = await outbox.addOwn(POST);
    await outbox.flush();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(JSON.parse(String(asked.mock.calls[0]?.[1]?.body))).toEqual({ body: "hello", client_id: entry.id });
    expect(settled).toEqual([{ id: "p1" }]);
    expect(await allEntries()).toEqual([]);
  });

  it("says when a write was made by the server's clock, also where the phone's is a day slow", async () => {
    answerWith(null);
    learnTime(new Response(null, { headers: { Date: new Date(Date.now() + DAY_MS).toUTCString() } }));
    const { madeAt } = await useOutbox().add(POST);
    learnTime(new Response(null, { headers: { Date: new Date().toUTCString() } }));
    expect(Math.abs(new Date(madeAt).getTime() - Date.now() - DAY_MS)).toBeLessThan(5_000);
  });

  it("keeps what the network did not take, over a restart, and sends it in the order it was made", async () => {
    answerWith(null);
    const before = useOutbox();
    vi.spyOn(Date, "now").mockReturnValue(Date.now());
    for (const body of ["hello", "second", "third", "fourth"]) await before.addOwn({ ...POST, body: { body } });
    vi.restoreAllMocks();
    await before.flush();
    before.clear();
    setActivePinia(createPinia());
    const asked = answerWith({ status: 201, body: {} });
    const after = useOutbox();
    await after.restore();
    expect(after.waiting).toHaveLength(4);
    await after.flush();
    expect(asked.mock.calls.map(([, init]) => JSON.parse(String(init?.body)).body)).toEqual(["hello", "second", "third", "fourth"]);
    expect(after.entries).toEqual([]);
  });

  it("still shows what was written while the phone looked up what waits", async () => {
    answerWith(null);
    const outbox = useOutbox();
    const restoring = outbox.restore();
    const entry = await outbox.addOwn(POST);
    await restoring;
    expect(outbox.waiting.map((one) => one.id)).toEqual([entry.id]);
  });

  it("holds on to what the server refuses, with its reason, and goes on with the next", async () => {
    answerWith({ status: 422, body: { code: "people.audience_unknown", detail: "受众不存在" } }, { status: 201, body: {} });
    const outbox = useOutbox();
    await outbox.addOwn(POST);
    await outbox.flush();
    await outbox.addOwn({ ...POST, body: { body: "second" } });
    await outbox.flush();
    expect(outbox.entries).toMatchObject([{ body: { body: "hello" }, refusal: "受众不存在", code: "people.audience_unknown" }]);
    expect(outbox.waiting).toEqual([]);
    const asked = answerWith({ status: 201, body: {} });
    await outbox.retry(outbox.entries[0]?.id ?? "");
    expect(asked).toHaveBeenCalledTimes(1);
    expect(await allEntries()).toEqual([]);
  });

  it("keeps a write for the person who wrote it, not for the next who signs in", async () => {
    answerWith(null);
    await useOutbox().addOwn(POST);
    openFor("wei");
    expect(await allEntries()).toEqual([]);
    openFor("lin");
    expect(await allEntries()).toHaveLength(1);
  });

  it("sends nothing in the name of the next person, and puts nothing on their shelves", async () => {
    for (const answer of [Response.json({}, { status: 201 }), Response.json({ code: "people.audience_unknown" }, { status: 422 })]) {
      const { asked, letGo } = heldBack(answer);
      const outbox = useOutbox();
      await outbox.addOwn(POST);
      await outbox.addOwn({ ...POST, body: { body: "second" } });
      await vi.waitUntil(() => asked.mock.calls.length === 1);
      weiTakesOver();
      letGo();
      await aMoment();
      expect([asked.mock.calls.length, outbox.entries, await allEntries()]).toEqual([1, [], []]);
      signInAs("lin");
      openFor("lin");
      expect(await allEntries()).toHaveLength(2);
      await Promise.all((await allEntries()).map((entry) => outbox.remove(entry.id)));
    }
  });

  it("does not keep the next person waiting for an answer to the last one", async () => {
    const { asked, letGo } = heldBack(Response.json({}, { status: 201 }));
    await useOutbox().addOwn(POST);
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    weiTakesOver();
    const sent = answerWith({ status: 201, body: {} });
    await useOutbox().addOwn({ ...POST, body: { body: "of wei" } });
    await vi.waitUntil(() => sent.mock.calls.length === 1);
    expect(bodies(sent)).toEqual(["of wei"]);
    letGo();
    await aMoment();
  });

  it("does not repeat under the next person's token what the last one's was refused for", async () => {
    const { asked, letGo } = heldBack(new Response(null, { status: 401 }));
    const outbox = useOutbox();
    await outbox.addOwn(POST);
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    weiTakesOver();
    letGo();
    await aMoment();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(localStorage.getItem("workspace.session")).toContain("token of wei");
  });

  it("shows in all tabs what waits, what was refused, and what is gone", async () => {
    const tabs: { onmessage?: () => void }[] = [];
    vi.stubGlobal("BroadcastChannel", class {
      onmessage?: () => void;
      constructor() { tabs.push(this); }
      postMessage(): void { tabs.filter((tab) => tab !== this).forEach((tab) => tab.onmessage?.()); }
    });
    const [one, other] = [createPinia(), createPinia()].map((pinia) => useOutbox(pinia)) as [ReturnType<typeof useOutbox>, ReturnType<typeof useOutbox>];
    const { letGo } = heldBack(Response.json({ code: "people.audience_unknown", detail: "受众不存在" }, { status: 422 }));
    const entry = await one.addOwn(POST);
    await vi.waitUntil(() => other.waiting.length === 1);
    letGo();
    await vi.waitUntil(() => other.entries[0]?.refusal);
    await one.remove(entry.id);
    await vi.waitUntil(() => !other.entries.length);
    vi.stubGlobal("BroadcastChannel", undefined);
  });

  it("is sent also where nothing can be kept", async () => {
    close();
    const asked = answerWith({ status: 201, body: {} });
    await useOutbox().addOwn(POST);
    await useOutbox().flush();
    expect(bodies(asked)).toEqual(["hello"]);
  });

  it("does not send what was discarded while the one before it was on its way", async () => {
    const { asked, letGo } = heldBack(Response.json({}, { status: 201 }));
    const outbox = useOutbox();
    await outbox.addOwn(POST);
    const second = await outbox.addOwn({ ...POST, body: { body: "second" } });
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    await outbox.remove(second.id);
    letGo();
    await outbox.flush();
    expect(bodies(asked)).toEqual(["hello"]);
  });
});
