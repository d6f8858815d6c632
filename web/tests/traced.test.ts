import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, reactive } from "vue";
import type { ErpDocument, StreamEvent } from "@/api/shapes";
import { useDocumentList } from "@/figures/useDocumentList";

const hearers = vi.hoisted(() => new Set<(event: StreamEvent) => void>());
vi.mock("@/store/presence", () => ({ onEvents: (hear: (event: StreamEvent) => void) => (hearers.add(hear), () => hearers.delete(hear)) }));

const page = (...keys: string[]) => ({ status: 200, body: { items: keys.map((key) => ({ key }) as ErpDocument), next_cursor: null } });
const figured = reactive({ cardKey: "sales", period: "mtd", scope: null });
const moved = (...cards: string[]) => hearers.forEach((hear) => hear({ seq: 1, kind: "roledata.cards_changed", ref: null, version: 1, data: { cards } }));
const keysOf = (list: ReturnType<typeof useDocumentList>) => list.documents.value.map((row) => row.key);
const listed = () => effectScope().run(() => useDocumentList(figured))!;

beforeEach(() => {
  hearers.clear();
  signInAs("lin");
  setActivePinia(createPinia());
  figured.period = "mtd";
});

describe("the documents behind a figure", () => {
  it("move with the figure", async () => {
    answerWith(page("1"));
    const list = listed();
    await vi.waitFor(() => expect(keysOf(list)).toEqual(["1"]));
    answerWith(page("2", "1"));
    moved("stock");
    moved("sales");
    await vi.waitFor(() => expect(keysOf(list)).toEqual(["2", "1"]));
  });

  it("say why they cannot be shown, and are shown when asked again", async () => {
    answerWith(null);
    const list = listed();
    await vi.waitFor(() => expect(list.problem.value?.isOffline).toBe(true));
    expect(list.isLoaded.value).toBe(false);
    answerWith(page());
    await list.begin();
    expect([list.isLoaded.value, list.problem.value, keysOf(list)]).toEqual([true, null, []]);
  });

  it("are those of the period that was asked for last", async () => {
    let late: (answer: Response) => void = () => undefined;
    vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>((resolve) => (late = resolve))));
    const list = listed();
    await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
    answerWith(page("ytd"));
    figured.period = "ytd";
    await nextTick();
    await vi.waitFor(() => expect(keysOf(list)).toEqual(["ytd"]));
    late(new Response(JSON.stringify(page("mtd").body), { status: 200 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(keysOf(list)).toEqual(["ytd"]);
  });
});
