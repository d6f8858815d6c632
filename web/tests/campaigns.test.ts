import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { effectScope } from "vue";
import type { KpiRule } from "@/api/shapes";
import { speak } from "@/app/i18n";
import { bodyOf, givesOf, howOften, kindOfSubjects, metricName, periodName, reasonText, subjectsOf, type Terms, thresholdOf, wavesToCome, whenOf } from "@/campaigns/rules";
import "@/campaigns/texts";
import { useMakeRule } from "@/campaigns/useMakeRule";
import { forget, openFor } from "@/store/db";

globalThis.document ??= { documentElement: { lang: "" } } as Document;

const rule = (said: Partial<KpiRule>): KpiRule => ({ metric: "ordered_net", metric_unit: "money", comparison: "target", threshold: 1.1, period: "month", deadline_day: null, total_minor: 888_800, per_head_minor: null, unit: "CNY", split: "lucky", ...said }) as KpiRule;
const TERMS: Terms = { name: "达标", metric: "ordered_net", comparison: "target", threshold: "110", period: "month", deadline: "", subjects: [{ kind: "unit", id: "u", include_below: true }], eachBelow: false, budgetId: "b", gives: "total", amount: "88.88", split: "lucky", audience: "subject", category: "sales", purpose: "月度", greeting: "" };
const BUDGET = { id: "b", unit: "CNY", unit_id: "u", name: "Sales", available_minor: 100_000, give_only: false, closed_at: null };

beforeEach(async () => {
  speak("zh-CN");
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("a rule on a figure", () => {
  it("says in words when it fires and what it gives", () => {
    expect(whenOf(rule({}), "CNY")).toBe("订单额达到目标的 110%");
    expect(whenOf(rule({ comparison: "value", threshold: 1_000_000 }), "CNY")).toBe("订单额达到 ¥10,000.00");
    expect(whenOf(rule({ comparison: "growth", threshold: 0.1 }), "CNY")).toBe("订单额同比增长 10%");
    expect([howOften(rule({ deadline_day: 20 })), givesOf(rule({})), givesOf(rule({ total_minor: null, per_head_minor: 5_000, split: "equal" }))]).toEqual(["每月 · 前 20 天内", "¥8,888.00，拼手气", "每人 ¥50.00，均分"]);
    expect(subjectsOf({ kind: "children", ids: ["u", "v"] }, (id) => ({ u: "华东" })[id])).toBe("华东、… 的每个下级组织");
  });

  it("names what this build does not know by its code", () => {
    expect([metricName("brand_new"), reasonText("figure_missing"), reasonText("brand_new")]).toEqual(["brand_new", "缺少指标数据", "暂时无法执行（brand_new）"]);
  });

  it("calls periods as people do", () => {
    expect([periodName("2026-11-01", "2026-11-30"), periodName("2026-10-01", "2026-12-31"), periodName("2026-01-01", "2026-12-31")]).toEqual(["2026-11", "2026 Q4", "2026"]);
  });

  it("is held against per cent, fen or a count", () => {
    expect([thresholdOf("110", "target", "money"), thresholdOf("12.5%", "growth", "money"), thresholdOf("95", "value", "ratio"), thresholdOf("1,000", "value", "money"), thresholdOf("30", "value", "count")]).toEqual([1.1, 0.125, 0.95, 100_000, 30]);
    expect(["", "0", "-1", "abc", "1e3"].map((text) => thresholdOf(text, "target", "money"))).toEqual(Array(5).fill(null));
  });

  it("is about units or persons, never both", () => {
    const [unit, person] = [{ kind: "unit", id: "u" } as const, { kind: "person", id: "p" } as const];
    expect([kindOfSubjects([unit]), kindOfSubjects([person, person]), kindOfSubjects([unit, person]), kindOfSubjects([])]).toEqual(["units", "persons", null, null]);
  });

  it("goes out as the server takes it, or not at all", () => {
    expect(bodyOf(TERMS, "money", BUDGET)).toMatchObject({ threshold: 1.1, total_minor: 8_888, subjects: { kind: "units", ids: ["u"] }, split: "lucky", on_behalf_of: "u", deadline_day: null });
    expect(bodyOf({ ...TERMS, eachBelow: true, gives: "per_head" }, "money", BUDGET)).toMatchObject({ subjects: { kind: "children" }, per_head_minor: 8_888 });
    expect(bodyOf({ ...TERMS, subjects: [{ kind: "person", id: "p" }] }, "money", BUDGET)).toMatchObject({ subjects: { kind: "persons" }, split: "one" });
    for (const wrong of [{ name: " " }, { amount: "0" }, { purpose: "" }, { deadline: "32" }, { deadline: "x" }, { subjects: [] }]) expect(bodyOf({ ...TERMS, ...wrong }, "money", BUDGET)).toBeNull();
    expect(bodyOf(TERMS, "money", undefined)).toBeNull();
  });
});

it("a rain can be stopped for the waves that have not fallen", () => {
  expect(wavesToCome([{ state: "open" }, { state: "scheduled" }, { state: "pending_approval" }, { state: "cancelled" }])).toBe(2);
});

describe("making a rule", () => {
  const METRICS = { status: 200, body: { items: [{ key: "ordered_net", unit: "money", has_target: true }], next_cursor: null } };
  const BUDGETS = { status: 200, body: { items: [BUDGET], next_cursor: null } };
  const PREVIEW = { status: 200, body: { year: 2025, fires: 3, total_minor: 26_664, unit: "CNY", summary: "3 次", instances: [] } };
  const MADE = { status: 201, body: { id: "r" } };
  const keysOf = (asked: ReturnType<typeof answerWith>): string[] => asked.mock.calls.filter(([url]) => url.endsWith("/kpi-rules")).map(([, init]) => (init?.headers as Record<string, string>)["Idempotency-Key"] ?? "");

  async function ready() {
    answerWith(METRICS, BUDGETS);
    const making = effectScope().run(useMakeRule)!;
    await making.load();
    Object.assign(making.draft, TERMS);
    return making;
  }

  it("takes a trial of exactly these terms first", async () => {
    const { draft, isTried, tryIt, save } = await ready();
    const asked = answerWith(PREVIEW, MADE);
    expect(await save()).toBeNull();
    await tryIt();
    expect(isTried.value).toBe(true);
    draft.amount = "99.99";
    expect([isTried.value, await save()]).toEqual([false, null]);
    draft.amount = "88.88";
    expect((await save())?.id).toBe("r");
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("keeps one however often it is asked for", async () => {
    const { tryIt, save, isUncertain } = await ready();
    const asked = answerWith(PREVIEW, null, MADE);
    await tryIt();
    expect([await save(), isUncertain.value]).toEqual([null, true]);
    expect((await save())?.id).toBe("r");
    expect([keysOf(asked).length, new Set(keysOf(asked)).size]).toEqual([2, 1]);
  });

  it("says why the figure may not be tried", async () => {
    const { tryIt, isTried, problem } = await ready();
    answerWith({ status: 403, body: { code: "redpackets.figure_not_visible", detail: "你无权查看该指标" } });
    await tryIt();
    expect([isTried.value, problem.value?.message]).toEqual([false, "你无权查看该指标"]);
  });
});
