import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { effectScope } from "vue";
import { faultsOf, monthsUntil, sheetText } from "@/payouts/rules";
import { usePrepare } from "@/payouts/usePrepare";
import { useResults } from "@/payouts/useResults";
import { forget, openFor } from "@/store/db";
import { saveDrafts } from "@/store/drafts";

const LOST = null;
const REFUSED = { status: 422, body: { code: "redpackets.results_refused", detail: "回盘文件有误", errors: { "rows.12": { code: "row_differs", text: "与发放不符" }, "rows.3": { code: "employee_unknown", text: "没有这个员工" } } } };
const SETTLED = { status: 200, body: { id: "p", state: "settled" } };
const NOTHING = { status: 409, body: { code: "redpackets.nothing_to_pay", detail: "没有可发放的金额", left_out: { no_employee_number: 3 } } };

const file = (text: string, name = "results.csv"): File => ({ name, arrayBuffer: async () => new TextEncoder().encode(text).buffer }) as unknown as File;
const results = () => effectScope().run(() => useResults("p"))!;
const keysOf = (asked: ReturnType<typeof answerWith>): string[] => asked.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)["Idempotency-Key"] ?? "");

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("a results file", () => {
  it("is handed in again under the same key after a lost answer, also after a reload", async () => {
    const asked = answerWith(LOST, SETTLED);
    const before = results();
    await before.choose(file("one"));
    expect(await before.take()).toBeNull();
    saveDrafts();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const after = results();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([after.draft.name, after.draft.content, after.draft.isAsked]).toEqual(["results.csv", "one", true]);
    expect((await after.take())?.state).toBe("settled");
    expect(new Set(keysOf(asked)).size).toBe(1);
  });

  it("that does not fit is told row by row, and loses nothing", async () => {
    const asked = answerWith(REFUSED, SETTLED);
    const { draft, faults, choose, take } = results();
    await choose(file("bad"));
    await take();
    expect(faults.value.map((fault) => [fault.row, fault.text])).toEqual([[3, "没有这个员工"], [12, "与发放不符"]]);
    expect([draft.content, draft.isAsked]).toEqual(["bad", false]);
    await choose(file("good"));
    expect(faults.value).toEqual([]);
    await take();
    expect(new Set(keysOf(asked)).size).toBe(2);
  });

  it("can be what a Chinese spreadsheet saves", () => {
    const gb = new Uint8Array([0xd5, 0xcb, 0xbb, 0xa7]);
    expect([sheetText(gb.buffer), sheetText(new TextEncoder().encode("账户").buffer)]).toEqual(["账户", "账户"]);
  });

  it("says what is wrong with all of it first", () => {
    expect(faultsOf({ "rows.2": { code: "x", text: "row" }, content: { code: "y", text: "all" } }).map((fault) => fault.row)).toEqual([null, 2]);
  });
});

describe("preparing a payout", () => {
  const ready = () => effectScope().run(usePrepare)!;

  it("again after a lost answer asks for the same one", async () => {
    const asked = answerWith(LOST, { status: 201, body: { id: "p" } });
    const { prepare, isUncertain } = ready();
    expect([await prepare(), isUncertain.value]).toEqual([null, true]);
    expect((await prepare())?.id).toBe("p");
    expect(new Set(keysOf(asked)).size).toBe(1);
  });

  it("after a reload waits for what was asked for before it", async () => {
    const asked = answerWith(LOST, { status: 201, body: { id: "p" } });
    await ready().prepare();
    saveDrafts();
    const after = ready();
    expect(after.canPrepare.value).toBe(false);
    expect((await after.prepare())?.id).toBe("p");
    expect(new Set(keysOf(asked)).size).toBe(1);
  });

  it("says who has money that cannot be paid this way", async () => {
    answerWith(NOTHING);
    const { prepare, problem, leftOut } = ready();
    await prepare();
    expect([problem.value?.message, leftOut.value]).toEqual(["没有可发放的金额", [["no_employee_number", 3]]]);
  });

  it("is for this month or one before", () => {
    expect(monthsUntil("2026-01-31").slice(0, 3)).toEqual(["2026-01", "2025-12", "2025-11"]);
  });
});
