import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import "@/kudos/texts";
import { useKudos } from "@/kudos/useKudos";
import { forget, openFor } from "@/store/db";

vi.mock("@/store/presence", () => ({ onEvents: () => () => undefined }));

const LOST = null;

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("thanking colleagues", () => {
  const ALLOWANCE = { programme: { id: "p", name: "Thanks" }, unit: "POINT", allowance_minor: 100, given_minor: 0, available_minor: 100, period_from: "2026-11-01", period_to: "2026-11-30" };
  const LEFT = { status: 200, body: { items: [ALLOWANCE] } };
  const GIVEN = { status: 201, body: { id: "k", total_minor: 40, unit: "POINT", count: 2, state: "open" } };

  /** Twenty points for each of two colleagues are ready to be given; the server answers so. */
  async function ready(...answers: ({ status: number; body: object } | null)[]) {
    answerWith(LEFT);
    const thanking = effectScope().run(useKudos)!;
    await thanking.begin("");
    thanking.toggle({ id: "wei", name: "Wei" });
    thanking.toggle({ id: "bo", name: "Bo" });
    Object.assign(thanking.draft, { amount: "20", text: "thanks" });
    return { ...thanking, asked: answerWith(...answers) };
  }

  it("gives the same amount to each, once, though the first answer was lost", async () => {
    const { asked, give, totalMinor, isUncertain } = await ready(LOST, LEFT, GIVEN);
    expect([totalMinor.value, await give(), isUncertain.value]).toEqual([40, null, true]);
    expect((await give())?.id).toBe("k");
    const paid = asked.mock.calls.filter(([url]) => url === "/api/v1/kudos");
    expect(paid.map(([, init]) => JSON.parse(String(init?.body)))).toEqual(Array(2).fill({ receivers: ["wei", "bo"], amount_minor: 20, unit: "POINT", text: "thanks", value: "" }));
    expect(new Set(paid.map(([, init]) => (init?.headers as Record<string, string>)["Idempotency-Key"])).size).toBe(1);
  });

  it("says by name who cannot be thanked", async () => {
    const { give, refusal, draft } = await ready({ status: 422, body: { code: "redpackets.receiver_refused", errors: { "receivers.1": { code: "receiver_not_active", text: "已离职" } } } }, LEFT);
    await give();
    expect([refusal.value, draft.receivers.length]).toEqual(["Bo：已离职", 2]);
  });

  it("says how much is lacking where another phone gave meanwhile", async () => {
    const { give, refusal, draft } = await ready({ status: 409, body: { code: "redpackets.insufficient_budget", available: 30, requested: 40 } }, LEFT);
    await give();
    expect(refusal.value).toMatch(/40.*30/);
    expect(draft.text).toBe("thanks");
  });

  it.each([["amount", "0"], ["amount", "1.5"], ["amount", "51"], ["amount", "x"], ["text", "  "], ["receivers", []]])("is not offered with the %s %o", async (field, typed) => {
    const { draft, canGive } = await ready(GIVEN);
    Object.assign(draft, { [field]: typed });
    expect(canGive.value).toBe(false);
  });

  it("takes ten at most", async () => {
    const { draft, toggle } = await ready(GIVEN);
    for (let n = 0; n < 20; n++) toggle({ id: `one ${n}`, name: "One" });
    expect(draft.receivers.length).toBe(10);
  });

  it("begins with whom one came from, beside whom one had chosen before", async () => {
    answerWith(LEFT, { status: 200, body: { id: "mei", name: "Mei", units: [], roles: [] } });
    const { draft, begin } = effectScope().run(useKudos)!;
    await begin("mei");
    expect(draft.receivers).toEqual([{ id: "mei", name: "Mei" }]);
  });
});
