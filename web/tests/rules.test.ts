import "./browser";
import { describe, expect, it } from "vitest";
import { ago, figure, money } from "@/app/format";
import { speak } from "@/app/i18n";
import { areaPath, coursePath, moodOf, nearestKnown, paceOf, sparkPath, ticksOf } from "@/figures/rules";
import { withDepth } from "@/feed/useAudience";
import { asTyped, envelopeState, luckiest, toMinor } from "@/packets/rules";
import type { Packet, Unit } from "@/api/shapes";

// The root element is touched when a language is spoken.
globalThis.document ??= { documentElement: { lang: "" } } as Document;

describe("figures", () => {
  it("are short in 万 and 亿, or in M", () => {
    speak("zh-CN");
    expect(figure(149_240_000, "CNY")).toBe("¥149.24万");
    expect(figure(123_456_789_000, "CNY")).toBe("¥12.35亿");
    speak("en");
    expect(figure(149_240_000, "CNY")).toBe("¥1.49M");
    expect([figure(0.275, "ratio"), figure(1234, "count"), figure(null, "CNY")]).toEqual(["27.5%", "1,234", "—"]);
  });

  it("are to the cent where money changes hands", () => {
    speak("zh-CN");
    expect([money(1, "CNY"), money(123_456_789, "CNY"), money(50, "POINT")]).toEqual(["¥0.01", "¥1,234,567.89", "50 积分"]);
  });

  it("are good news when they grow, unless less is more", () => {
    expect([moodOf(5, "more_is_better"), moodOf(-5, "more_is_better"), moodOf(5, "less_is_better"), moodOf(0, "")]).toEqual(["gain", "loss", "loss", ""]);
  });

  it("are ahead, a little behind or far behind the working days", () => {
    const at = (attainment: number | null) => paceOf({ attainment, pace: 0.5 });
    expect([at(0.6), at(0.46), at(0.2), at(null)]).toEqual(["ahead", "behind", "far", null]);
  });

  it("are drawn inside their box, days without a value left out", () => {
    expect(sparkPath([1, null, 3], 100, 20)).toBe("M0.0 19.0L100.0 1.0");
    expect([sparkPath([2, 2], 10, 20), sparkPath([null, 2], 10, 20)]).toEqual(["M0.0 10.0L10.0 10.0", ""]);
  });

  it("stand between round figures, from nothing on where nothing means something", () => {
    expect(ticksOf([120, null, 470], true)).toEqual([0, 200, 400, 600]);
    expect(ticksOf([-30, 60], true)).toEqual([-50, 0, 50, 100]);
    expect(ticksOf([0.41, 0.47], false).map((tick) => tick.toFixed(2))).toEqual(["0.40", "0.42", "0.44", "0.46", "0.48"]);
    expect([ticksOf([0, 0], true), ticksOf([7, 7], false)]).toEqual([[0, 0.5], [5, 10]]);
  });

  it("have a course between their ticks, and an area down to nothing", () => {
    expect(coursePath([0, null, 50, 100], [0, 100])).toBe("M0.0 100.0L66.7 50.0L100.0 0.0");
    expect(areaPath([null, 50, 100], [0, 100])).toBe("M50.0 50.0L100.0 0.0L100.0 100.0L50.0 100.0Z");
    expect(areaPath([-50, 50], [-50, 0, 50])).toBe("M0.0 100.0L100.0 0.0L100.0 50.0L0.0 50.0Z");
    expect([coursePath([5], [0, 10]), areaPath([null, 5], [0, 10])]).toEqual(["", ""]);
  });

  it("are found under a thumb, days without a value passed over", () => {
    const values = [1, null, null, 4, 5];
    expect([0, 0.3, 0.45, 0.9, -1].map((share) => nearestKnown(values, share))).toEqual([0, 0, 3, 4, 0]);
    expect(nearestKnown([null], 0.5)).toBeNull();
  });
});

describe("times", () => {
  it("are told in one unit, and never lie ahead, however wrong the clock is", () => {
    speak("zh-CN");
    const now = Date.parse("2026-11-22T08:00:00Z");
    const told = ["2026-11-22T07:59:30Z", "2026-11-22T07:15:00Z", "2026-11-22T03:00:00Z", "2026-11-20T08:00:00Z", "2026-11-23T08:00:00Z"];
    expect(told.map((text) => ago(text, now))).toEqual(["刚刚", "45分钟前", "5小时前", "前天", "刚刚"]);
  });
});

describe("red packets", () => {
  it("take amounts as people type them, to the cent and no further", () => {
    expect(["12", "12.5", "12.34", "1,200.00", "１２．５", "¥ 3"].map((text) => toMinor(text))).toEqual([1200, 1250, 1234, 120_000, 1250, 300]);
    expect(["", "0.001", "1e3", "-5", "12.345", "一百", "12345678901"].map((text) => toMinor(text))).toEqual(Array(7).fill(null));
    expect([toMinor("50", "POINT"), toMinor("5.5", "POINT")]).toEqual([50, null]);
    expect([asTyped(1_250), asTyped(5, "CNY"), asTyped(1_250, "POINT")]).toEqual(["12.50", "0.05", "1250"]);
  });

  it("show my share before anything else", () => {
    const packet = { state: "exhausted", mine: null } as unknown as Packet;
    expect([envelopeState(packet), envelopeState({ ...packet, mine: { index: 0, amount_minor: 1, unit: "CNY" } }), envelopeState(undefined)]).toEqual(["exhausted", "mine", "unknown"]);
  });

  it("name the luckiest only when all shares are taken", () => {
    const claims = [{ holder: { id: "a" }, amount_minor: 3 }, { holder: { id: "b" }, amount_minor: 9 }];
    const packet = { kind: "lucky", remaining: 0, claims } as unknown as Packet;
    expect([luckiest(packet), luckiest({ ...packet, remaining: 1 }), luckiest({ ...packet, kind: "equal" })]).toEqual(["b", null, null]);
  });
});

it("the tree of units is told parents first, also where the root is out of sight", () => {
  const unit = (id: string, parent_id: string | null) => ({ id, parent_id }) as Unit;
  const told = withDepth([unit("c", "b"), unit("a", "hidden"), unit("b", "a")]).map((row) => [row.unit.id, row.depth]);
  expect(told).toEqual([["a", 0], ["b", 1], ["c", 2]]);
});
