import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { effectScope } from "vue";
import { useSend } from "@/packets/useSend";
import { forget, openFor } from "@/store/db";
import { saveDrafts } from "@/store/drafts";

const BUDGETS = { status: 200, body: { items: [{ id: "b", name: "Sales", unit: "CNY", unit_id: "u", available_minor: 100_000, give_only: false, closed_at: null }], next_cursor: null } };
const PACKET = { id: "p", total_minor: 1_000, unit: "CNY", count: 2, state: "open" };
const LOST = null;
const IN_PROGRESS = { status: 409, body: { code: "idempotency_key_in_progress" } };
const REUSED = { status: 422, body: { code: "idempotency_key_reused", detail: "用于了不同的请求" } };
const REFUSED = { status: 422, body: { code: "redpackets.over_budget", detail: "超出预算" } };
const SENT = { status: 201, body: PACKET };

type Answer = { status: number; body: object } | null;

/** A packet of ten yuan is ready to be sent; the server answers so. */
async function ready(...answers: Answer[]) {
  answerWith(BUDGETS);
  const sending = effectScope().run(useSend)!;
  await sending.load();
  Object.assign(sending.draft, { total: "10", count: "2", purpose: "thanks", audience: [{ kind: "unit", id: "u", include_below: true }] });
  return { ...sending, asked: answerWith(...answers) };
}

const keyOf = ([, init]: [string, RequestInit?]): string => (init?.headers as Record<string, string>)["Idempotency-Key"] ?? "";
const totalOf = ([, init]: [string, RequestInit?]): number => JSON.parse(String(init?.body)).total_minor;
const keysIn = (asked: ReturnType<typeof answerWith>): number => new Set(asked.mock.calls.map(keyOf)).size;

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("sending a packet", () => {
  it("again under the same key after a lost answer, so that it pays once", async () => {
    const { asked, send, isUncertain } = await ready(LOST, SENT);
    expect([await send(), isUncertain.value]).toEqual([null, true]);
    expect(await send()).toEqual(PACKET);
    expect([asked.mock.calls.length, keysIn(asked)]).toEqual([2, 1]);
  });

  it("is still the earlier one, under its key, once a changed one was refused", async () => {
    const { asked, send, draft, isUncertain } = await ready(LOST, REFUSED, SENT);
    await send();
    draft.total = "20";
    await send();
    expect(isUncertain.value).toBe(true);
    draft.total = "10";
    expect(await send()).toEqual(PACKET);
    expect([asked.mock.calls.map(totalOf), keysIn(asked)]).toEqual([[1_000, 2_000, 1_000], 1]);
  });

  it("waits for the answer of the first call while it runs", async () => {
    const { asked, send } = await ready(IN_PROGRESS, SENT);
    expect(await send()).toEqual(PACKET);
    expect(keysIn(asked)).toBe(1);
  });

  it("that was refused goes out under a key of its own, as nothing came of the first", async () => {
    const { asked, send, problem, isUncertain } = await ready(REFUSED, SENT);
    await send();
    expect([problem.value?.message, isUncertain.value]).toEqual(["超出预算", false]);
    await send();
    expect(keysIn(asked)).toBe(2);
  });

  it("changed after a lost answer shows the one that went out, and pays no second one unasked", async () => {
    const { asked, draft, send, gone, another } = await ready(LOST, REUSED, REUSED, SENT, SENT);
    await send();
    draft.total = "20";
    expect(await send()).toBeNull();
    expect(gone.value).toEqual(PACKET);
    expect([asked.mock.calls.map(totalOf), keysIn(asked)]).toEqual([[1_000, 2_000, 2_000, 1_000], 1]);
    draft.total = "30";
    another();
    await send();
    expect(keysIn(asked)).toBe(2);
  });

  it("says that an earlier one went out where the server no longer tells which", async () => {
    const { asked, draft, send, gone } = await ready(LOST, REUSED);
    await send();
    draft.total = "20";
    await send();
    draft.purpose = "changed once more";
    expect([gone.value, keysIn(asked)]).toEqual(["unknown", 1]);
  });

  it("knows after a reload what may have gone out", async () => {
    const before = await ready(LOST);
    await before.send();
    saveDrafts();
    setActivePinia(createPinia());
    answerWith(BUDGETS);
    const after = effectScope().run(useSend)!;
    await after.load();
    expect([after.isUncertain.value, after.draft.key]).toEqual([true, before.draft.key]);
  });

  it("keeps its key where the sign-in ended before the answer", async () => {
    const { draft, send } = await ready(LOST, { status: 401, body: {} });
    const { key } = draft;
    await send();
    await send();
    draft.total = "20";
    expect(draft.key).toBe(key);
  });
});
