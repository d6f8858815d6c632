import "./browser";
import { beforeEach, describe, expect, it } from "vitest";
import type { Flag } from "@/api/shapes";
import { speak } from "@/app/i18n";
import { daysOf, wordsOf } from "@/oversight/rules";
import "@/oversight/texts";

globalThis.document ??= { documentElement: { lang: "" } } as Document;

const flag = (kind: string, figures: object): Flag => ({ kind, figures: { unit: "CNY", ...figures }, subjects: [{ id: "a", name: "Lin" }, { id: "b", name: "Zhao" }], packet_ids: [] }) as unknown as Flag;

beforeEach(() => speak("zh-CN"));

describe("a flag", () => {
  it("says in words what was found", () => {
    expect(wordsOf(flag("same_receiver", { gift_count: 6, amount_minor: 3_000, total_minor: 4_000 }))).toBe("Lin 给 Zhao 6 次，共 ¥30.00，占其发出 ¥40.00 的 75%");
    expect(wordsOf(flag("ring", { gift_count: 4, amount_minor: 800 }))).toBe("Lin → Zhao 之间转了 4 次，共 ¥8.00");
    expect(wordsOf(flag("split", { packet_count: 3, amount_minor: 12_000, threshold_minor: 5_000 }))).toContain("审批线 ¥50.00");
    speak("en");
    expect(wordsOf(flag("self_gift", { gift_count: 1, amount_minor: 500 }))).toBe("Lin took what they had sent 1 times, ¥5.00 in all");
  });

  it("of a kind that this build does not know is named by it", () => {
    expect(wordsOf(flag("brand_new", {}))).toBe("brand_new: Lin、Zhao");
  });
});

it("a report is of this month, the one before, or this year", () => {
  expect((["month", "before", "year"] as const).map((time) => daysOf(time, "2026-01-31"))).toEqual([
    { from: "2026-01-01", to: "2026-01-31" },
    { from: "2025-12-01", to: "2025-12-31" },
    { from: "2026-01-01", to: "2026-01-31" },
  ]);
});
