import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import type { StreamEvent } from "@/api/shapes";
import { forget, openFor } from "@/store/db";
import { useListing, useReading } from "@/store/reading";

const hearers = vi.hoisted(() => new Set<(event: unknown) => void>());
vi.mock("@/store/presence", () => ({
  onEvents: (hear: (event: unknown) => void) => {
    hearers.add(hear);
    return () => hearers.delete(hear);
  },
}));

type Thing = { id: string };
const event = (kind: string): StreamEvent => ({ kind, data: {} }) as unknown as StreamEvent;
const tell = (kind: string): void => hearers.forEach((hear) => hear(event(kind)));
const isAbout = (heard: StreamEvent): boolean => heard.kind === "thing_changed";
const page = (ids: string[], next_cursor: string | null = null) => ({ status: 200, body: { items: ids.map((id) => ({ id })), next_cursor } });
/** What the server answers to each call, when it comes to it. */
function answerLate(): ((body: object) => void)[] {
  const answers: ((body: object) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise((resolve) => answers.push((body) => resolve(Response.json(body)))));
  return answers;
}
const read = () => effectScope().run(() => useReading<Thing>("/things/1", isAbout))!;
const list = () => effectScope().run(() => useListing<Thing>("/things", isAbout, 2))!;

beforeEach(async () => {
  hearers.clear();
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("what a screen shows", () => {
  it("is what was last known where there is no network, and says so", async () => {
    answerWith({ status: 200, body: { id: "one" } });
    await read().load();
    answerWith(null);
    const later = read();
    await later.load();
    expect([later.found.value?.id, later.problem.value?.isOffline]).toEqual(["one", true]);
  });

  it("stays where it can be read anew no more", async () => {
    answerWith({ status: 200, body: { id: "one" } });
    const { found, problem, load } = read();
    await load();
    answerWith({ status: 503, body: { code: "unavailable", detail: "忙" } });
    await load();
    expect([found.value?.id, problem.value?.message]).toEqual(["one", "忙"]);
  });

  it("is read anew, once, when events say that it changed", async () => {
    const asked = answerWith({ status: 200, body: { id: "one" } }, { status: 200, body: { id: "two" } });
    const { found, load } = read();
    await load();
    for (const kind of ["thing_changed", "thing_changed", "other"]) tell(kind);
    await vi.waitFor(() => expect(found.value?.id).toBe("two"));
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("goes where it is mine to see no more, also from what is kept", async () => {
    answerWith({ status: 200, body: { id: "one" } }, { status: 404, body: { code: "not_found" } });
    const { found, problem, load } = read();
    await load();
    tell("people.access_changed");
    await vi.waitFor(() => expect(found.value).toBeNull());
    expect(problem.value?.isForbidden).toBe(true);
    answerWith(null);
    const later = read();
    await later.load();
    expect(later.found.value).toBeNull();
  });

  it("does not go back to an answer that was overtaken", async () => {
    const answers = answerLate();
    const { found, load } = read();
    const both = Promise.all([load(), load()]);
    await vi.waitFor(() => expect(answers.length).toBe(2));
    answers[1]!({ id: "newer" });
    answers[0]!({ id: "older" });
    await both;
    expect(found.value?.id).toBe("newer");
  });

  it("does not go back behind what was done here, and is read anew", async () => {
    const answers = answerLate();
    const { found, load, put } = read();
    const loading = load();
    await vi.waitFor(() => expect(answers.length).toBe(1));
    put({ id: "done" });
    answers[0]!({ id: "older" });
    await loading;
    expect(found.value?.id).toBe("done");
    await vi.waitFor(() => expect(answers.length).toBe(2));
    answers[1]!({ id: "newer" });
    await vi.waitFor(() => expect(found.value?.id).toBe("newer"));
  });

  it("is heard of no more once it is left", () => {
    const scope = effectScope();
    scope.run(() => useReading<Thing>("/things/1", isAbout));
    scope.stop();
    expect(hearers.size).toBe(0);
  });
});

describe("a list", () => {
  it("grows page by page, and is read anew as far as it is shown", async () => {
    const asked = answerWith(page(["a", "b"], "next"), page(["c"]), page(["z", "a", "b"], null));
    const { items, cursor, load, more } = list();
    await load();
    await more();
    expect([items.value.map((one) => one.id), cursor.value]).toEqual([["a", "b", "c"], null]);
    await load();
    expect(items.value.map((one) => one.id)).toEqual(["z", "a", "b"]);
    expect(asked.mock.calls.map(([url]) => url.split("?")[1])).toEqual(["limit=2", "limit=2&cursor=next", "limit=3"]);
  });

  it("grows from what is being read anew, not from what was there before", async () => {
    answerWith(page(["a", "b"], "next"));
    const { items, load, more } = list();
    await load();
    const answers = answerLate();
    const both = Promise.all([load(), more()]);
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0));
    answers[0]!(page(["z", "a"], "after").body);
    await vi.waitFor(() => expect(answers.length).toBe(2));
    answers[1]!(page(["b"]).body);
    await both;
    expect(items.value.map((one) => one.id)).toEqual(["z", "a", "b"]);
  });

  it("is shown as it was kept where there is no network", async () => {
    answerWith(page(["a"]));
    await list().load();
    answerWith(null);
    const { items, isLoaded, load } = list();
    await load();
    expect([items.value.map((one) => one.id), isLoaded.value]).toEqual([["a"], true]);
  });
});
