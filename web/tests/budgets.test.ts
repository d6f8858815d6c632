import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { effectScope } from "vue";
import type { Budget } from "@/api/shapes";
import { isRecoverable, leastLimit, mostLimit, sharesOf, treeOf } from "@/budgets/rules";
import "@/budgets/texts";
import { useBudgets } from "@/budgets/useBudgets";
import { useLimit } from "@/budgets/useLimit";
import { useRecovery } from "@/budgets/useRecovery";
import { rewardPlaces } from "@/packets/rules";
import { forget, openFor } from "@/store/db";
import { usePackets } from "@/store/packets";
import { saveDrafts } from "@/store/drafts";

const budget = (said: Partial<Budget>): Budget =>
  ({ id: "b", unit: "CNY", parent_id: null, give_only: false, limit_minor: 10_000, spent_minor: 1_000, held_minor: 500, allotted_minor: 2_500, available_minor: 6_000, period_to: "2026-12-31", closed_at: null, version: 3, ...said }) as Budget;
const CONFLICT = { status: 409, body: { code: "version_conflict", detail: "已被修改" } };

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("budgets", () => {
  it("are a tree, whatever of it is out of sight, without single persons' allowances", () => {
    const all = [budget({ id: "top" }), budget({ id: "below", parent_id: "top" }), budget({ id: "mine", parent_id: "hidden" }), budget({ id: "gift", parent_id: "top", give_only: true })];
    expect(treeOf(all).map((row) => [row.budget.id, row.depth])).toEqual([["top", 0], ["below", 1], ["mine", 0]]);
  });

  it("show each part of their limit, and of no limit nothing", () => {
    expect(sharesOf(budget({}))).toEqual({ spent: 10, held: 5, allotted: 25, available: 60 });
    expect(sharesOf(budget({ limit_minor: 0 })).spent).toBe(0);
  });

  it("move between what is committed and what the one above has", () => {
    expect([leastLimit(budget({})), mostLimit(budget({}), budget({ available_minor: 700 })), mostLimit(budget({}), undefined)]).toEqual([4_000, 10_700, Infinity]);
  });

  it("are given back once they are over or closed, while something is left", () => {
    expect([isRecoverable(budget({}), "2026-11-22"), isRecoverable(budget({ period_to: "2026-10-31" }), "2026-11-22"), isRecoverable(budget({ closed_at: "2026-11-01T00:00:00Z" }), "2026-11-22")]).toEqual([false, true, true]);
    expect(isRecoverable(budget({ available_minor: 0, period_to: "2026-10-31" }), "2026-11-22")).toBe(false);
  });

  it("are asked for without single persons' allowances, which would crowd them out of a page", async () => {
    const asked = answerWith({ status: 200, body: { items: [], next_cursor: null } });
    await effectScope().run(useBudgets)!.load();
    await usePackets().readBudgets();
    expect(asked.mock.calls.map(([url]) => new URL(url, "http://app").searchParams.get("give_only"))).toEqual(["false", "false"]);
  });

  it("and what else decides on rewards is offered to whom it is for", () => {
    const keys = (...held: string[]): string[] => rewardPlaces((permission) => held.includes(permission)).map((place) => place.key);
    expect([keys(), keys("redpackets.send"), keys("redpackets.audit"), keys("redpackets.payout", "redpackets.approve")]).toEqual([[], ["budgets", "rains"], ["budgets", "rules", "report", "flags"], ["payouts", "proposals"]]);
  });
});

describe("a new limit", () => {
  const change = (now: () => Budget) => effectScope().run(() => useLimit(now, () => undefined, async () => now()))!;

  it("is not asked for below what is committed", () => {
    const limit = change(() => budget({}));
    limit.draft.amount = "39.99";
    expect([limit.isTooLow.value, limit.canSave.value]).toEqual([true, false]);
    limit.draft.amount = "40";
    expect([limit.isTooLow.value, limit.canSave.value]).toEqual([false, true]);
  });

  it("whose answer was lost is found to be there when it is asked for again", async () => {
    let now = budget({});
    const limit = change(() => now);
    limit.draft.amount = "200";
    answerWith(null);
    expect(await limit.save()).toBeNull();
    now = budget({});
    answerWith(CONFLICT);
    const saving = limit.save();
    now = budget({ limit_minor: 20_000, version: 4 });
    expect((await saving)?.limit_minor).toBe(20_000);
    expect(limit.said.value).toBe("");
  });

  it("that somebody else forestalled is not pressed upon them", async () => {
    const limit = change(() => budget({}));
    limit.draft.amount = "200";
    answerWith(CONFLICT);
    expect(await limit.save()).toBeNull();
    expect(limit.said.value).toContain("变动");
    expect(limit.draft.amount).toBe("200");
  });
});

describe("what an ended budget does not need", () => {
  const recovering = () => effectScope().run(() => useRecovery("b"))!;

  it("is taken back once, also where a reload came before the answer", async () => {
    const asked = answerWith(null, { status: 200, body: budget({ available_minor: 0 }) });
    await recovering().recover();
    saveDrafts();
    const after = recovering();
    expect(after.canAsk.value).toBe(false);
    expect((await after.recover())?.available_minor).toBe(0);
    expect(new Set(asked.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)["Idempotency-Key"])).size).toBe(1);
  });
});
