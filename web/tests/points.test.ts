import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import type { CatalogueItem, Redemption, StreamEvent } from "@/api/shapes";
import { movesPoints, stepsOf, toCount } from "@/points/rules";
import "@/points/texts";
import { useItem } from "@/points/useItem";
import { useRedeem } from "@/points/useRedeem";
import { forget, openFor } from "@/store/db";
import { saveDrafts } from "@/store/drafts";

vi.mock("@/store/presence", () => ({ onEvents: () => () => undefined }));

const MUG = { id: "mug", name_zh: "马克杯", name_en: "Mug", price_points: 100, stock: 5, per_person_limit: null, description_zh: "", description_en: "", unit_id: null, needs_approval: false, active: true, tax_class: "wage_income", cash_value_fen: 2_000, version: 1 } as CatalogueItem;
const MADE = { status: 201, body: { id: "r", quantity: 1, points: 100, state: "approved" } };
const LOST = null;
const REUSED = { status: 422, body: { code: "idempotency_key_reused" } };
const refused = (code: string, said: object) => ({ status: 409, body: { code: `redpackets.${code}`, ...said } });

type Asked = ReturnType<typeof answerWith>;
const keysIn = (asked: Asked): number => new Set(asked.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)["Idempotency-Key"])).size;
const bodiesIn = (asked: Asked) => asked.mock.calls.map(([, init]) => JSON.parse(String(init?.body ?? "null")));
const redeeming = (available = 500, item = MUG) => effectScope().run(() => useRedeem(item, () => available))!;

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("redeeming points", () => {
  it("again under the same key after a lost answer, so that points are taken once", async () => {
    const asked = answerWith(LOST, MADE);
    const { redeem, isUncertain } = redeeming();
    expect([await redeem(), isUncertain.value]).toEqual([null, true]);
    expect((await redeem())?.id).toBe("r");
    expect([keysIn(asked), bodiesIn(asked)]).toEqual([1, Array(2).fill({ item_id: "mug", quantity: 1, price_points: 100 })]);
  });

  it("asks again after a lost answer though what it took leaves too little for another", async () => {
    const asked = answerWith(LOST, MADE);
    const available = ref(100);
    const { redeem } = effectScope().run(() => useRedeem(MUG, () => available.value))!;
    await redeem();
    available.value = 0;
    expect((await redeem())?.id).toBe("r");
    expect(keysIn(asked)).toBe(1);
  });

  it("knows after a reload what may have been taken, at the price of then", async () => {
    answerWith(LOST);
    const before = redeeming();
    before.step(1);
    await before.redeem();
    saveDrafts();
    setActivePinia(createPinia());
    const after = redeeming(500, { ...MUG, price_points: 120 });
    await vi.waitUntil(() => after.isUncertain.value);
    expect([after.draft.key, after.draft.quantity, after.draft.price]).toEqual([before.draft.key, "2", 100]);
  });

  it("waits for what was asked for before the reload, and asks for it under its key", async () => {
    const asked = answerWith(LOST, MADE);
    await redeeming().redeem();
    saveDrafts();
    const after = redeeming();
    expect(after.canRedeem.value).toBe(false);
    expect((await after.redeem())?.id).toBe("r");
    expect(keysIn(asked)).toBe(1);
  });

  it("tells both prices where it has changed, and takes the new one only when asked again", async () => {
    const asked = answerWith(refused("price_changed", { now: 120 }), MADE);
    const { redeem, refusal, draft, total, step } = redeeming();
    step(1);
    expect(await redeem()).toBeNull();
    expect(refusal.value).toMatch(/100.*120/);
    expect([draft.quantity, total.value, asked.mock.calls.length]).toEqual(["2", 240, 1]);
    await redeem();
    expect([keysIn(asked), bodiesIn(asked)[1].price_points, refusal.value]).toEqual([2, 120, ""]);
  });

  it.each([
    ["out_of_stock", { available: 3 }, /3/],
    ["out_of_stock", { available: 0 }, /兑完/],
    ["insufficient_points", { requested: 200, available: 150 }, /200.*150/],
    ["limit_reached", { limit: 2, taken: 1 }, /2.*1/],
    ["not_on_offer", { detail: "该商品已下架" }, /该商品已下架/],
  ])("that is refused as %s says so and loses nothing", async (code, said, words) => {
    answerWith(refused(code, said));
    const { redeem, refusal, draft, isUncertain, step } = redeeming();
    step(1);
    await redeem();
    expect(refusal.value).toMatch(words);
    expect([draft.quantity, isUncertain.value]).toEqual(["2", false]);
  });

  it("changed after a lost answer shows the earlier one, and takes no more points unasked", async () => {
    const asked = answerWith(LOST, REUSED, REUSED, MADE, MADE);
    const { redeem, gone, another, step } = redeeming();
    await redeem();
    step(1);
    expect(await redeem()).toBeNull();
    expect([(gone.value as Redemption).id, keysIn(asked)]).toEqual(["r", 1]);
    another();
    await redeem();
    expect(keysIn(asked)).toBe(2);
  });

  it.each(["0", "-1", "1.5", "abc", "1001", " "])("of %o pieces cannot be asked for", async (typed) => {
    const asked = answerWith(MADE);
    const { redeem, draft, canRedeem } = redeeming(10 ** 9);
    draft.quantity = typed;
    expect([canRedeem.value, await redeem(), asked.mock.calls.length]).toEqual([false, null, 0]);
  });

  it("of more than one has cannot be asked for", async () => {
    const asked = answerWith(MADE);
    const { redeem, canRedeem, left } = redeeming(99);
    expect([await redeem(), canRedeem.value, left.value, asked.mock.calls.length]).toEqual([null, false, -1, 0]);
  });
});

describe("an item of the catalogue", () => {
  const changing = (item = ref<CatalogueItem | null>(MUG)) => ({ item, ...effectScope().run(() => useItem(() => item.value))! });

  it("sends only what was changed, with the version that was read", async () => {
    const asked = answerWith({ status: 200, body: MUG });
    const { draft, save, canSave } = changing();
    expect(canSave.value).toBe(false);
    draft.typed.price = "120";
    await save();
    expect([asked.mock.calls[0]?.[1]?.method, bodiesIn(asked)]).toEqual(["PATCH", [{ price_points: 120, version: 1 }]]);
  });

  it("keeps what is typed when somebody else changes it, and follows them in the rest", async () => {
    const asked = answerWith({ status: 409, body: { code: "version_conflict", current_version: 2 } }, { status: 200, body: MUG });
    const { item, draft, save, problem } = changing();
    draft.typed.price = "120";
    await save();
    expect(problem.value?.code).toBe("version_conflict");
    item.value = { ...MUG, stock: 3, version: 2 };
    await nextTick();
    expect([draft.typed.price, draft.typed.stock]).toEqual(["120", "3"]);
    await save();
    expect(bodiesIn(asked)[1]).toEqual({ price_points: 120, version: 2 });
  });

  it("is added once, however often it is asked for", async () => {
    const asked = answerWith(LOST, { status: 201, body: MUG });
    const { draft, save } = changing(ref(null));
    Object.assign(draft.typed, { nameZh: "马克杯", nameEn: "Mug", price: "100", worth: "20" });
    expect(await save()).toBeNull();
    await save();
    expect([keysIn(asked), bodiesIn(asked)[1]]).toEqual([1, { name_zh: "马克杯", name_en: "Mug", description_zh: "", description_en: "", price_points: 100, stock: null, per_person_limit: null, cash_value_fen: 2_000, needs_approval: false, active: true, unit_id: null, tax_class: "wage_income" }]);
  });

  it("changed after a lost answer is not added beside the earlier one unasked", async () => {
    const asked = answerWith(LOST, REUSED, REUSED, { status: 201, body: MUG }, { status: 201, body: { ...MUG, id: "cup" } });
    const { draft, save, gone, isUncertain, another } = changing(ref(null));
    Object.assign(draft.typed, { nameZh: "马克杯", nameEn: "Mug", price: "100" });
    await save();
    expect(isUncertain.value).toBe(true);
    draft.typed.price = "120";
    expect(await save()).toBeNull();
    expect([(gone.value as CatalogueItem).id, keysIn(asked)]).toEqual(["mug", 1]);
    another();
    expect((await save())?.id).toBe("cup");
    expect(keysIn(asked)).toBe(2);
  });

  it("is taxed once it is worth something, and stays untaxed where that was somebody's choice", async () => {
    const asked = answerWith({ status: 200, body: MUG });
    const untaxed = { ...MUG, tax_class: "not_taxable" } as CatalogueItem;
    for (const item of [{ ...untaxed, cash_value_fen: 0 }, untaxed]) {
      const { draft, save } = changing(ref(item));
      draft.typed.worth = "30";
      await save();
    }
    expect(bodiesIn(asked)).toEqual([{ cash_value_fen: 3_000, tax_class: "wage_income", version: 1 }, { cash_value_fen: 3_000, version: 1 }]);
  });

  it.each([["price", "0"], ["price", "1.5"], ["stock", "-1"], ["stock", "many"], ["limit", "0"], ["worth", "1.234"], ["nameEn", " "]])("cannot be saved with the %s %o", async (field, typed) => {
    const asked = answerWith({ status: 200, body: MUG });
    const { draft, canSave, save } = changing();
    Object.assign(draft.typed, { [field]: typed });
    expect([await save(), canSave.value, asked.mock.calls.length]).toEqual([null, false, 0]);
  });
});

describe("a redemption", () => {
  const asked = { person: { id: "lin", name: "Lin" }, created_at: "2026-11-22T10:00:00Z", decided_by: null, decided_at: null, fulfilled_by: null, fulfilled_at: null };
  const went = (state: string, more = {}) => stepsOf({ ...asked, state, ...more } as Redemption).map((step) => `${step.name}${step.isDone ? "" : "?"}`);

  it("says how it went and what is to come", () => {
    expect(went("reserved")).toEqual(["asked", "approved?", "fulfilled?"]);
    expect(went("approved")).toEqual(["asked", "approved", "fulfilled?"]);
    expect(went("declined")).toEqual(["asked", "declined"]);
    expect(went("withdrawn")).toEqual(["asked", "withdrawn"]);
    expect(went("withdrawn", { decided_at: "2026-11-22T11:00:00Z" })).toEqual(["asked", "approved", "withdrawn"]);
  });

  it("counts as a person types it", () => {
    expect(["1", " １２ ", "1000", "0", "1e3", ""].map((text) => toCount(text, 1, 1_000))).toEqual([1, 12, 1_000, null, null, null]);
  });

  it("moves my points, as does what I receive of them", () => {
    const event = (kind: string, data = {}): StreamEvent => ({ seq: 1, kind, ref: null, version: 1, data });
    const taken = (holder_id: string, unit: string): boolean => movesPoints(event("redpackets.share_taken", { holder_id, unit }), "lin");
    const changed = (person_id: string): boolean => movesPoints(event("redpackets.redemption_changed", { person_id }), "lin");
    expect([taken("lin", "POINT"), taken("lin", "CNY"), taken("wei", "POINT"), changed("lin"), changed("wei")]).toEqual([true, false, false, true, false]);
  });
});
