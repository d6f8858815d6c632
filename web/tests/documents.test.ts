import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import type { ErpApproval, ErpDecision } from "@/api/shapes";
import { markOf, stepsOf, whyOf } from "@/approvals/rules";
import { forget, openFor } from "@/store/db";
import { useDocuments } from "@/store/documents";

const decision = (said: Partial<ErpDecision>): ErpDecision => ({ id: "d", state: "queued", decision: "approve", code: null, sent_at: null, ...said }) as ErpDecision;
const VERDICT = { decision: "approve" as const, reason: "", version: "v1" };
const keyOf = (call: unknown[]): string => ((call[1] as RequestInit).headers as Record<string, string>)["Idempotency-Key"] ?? "";

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("deciding a document", () => {
  it("asks again under the same key when the answer was lost, so that it is one decision", async () => {
    const lost = { status: 503, body: { code: "unavailable" } };
    const asked = answerWith(lost, { status: 200, body: { id: "a" } }, { status: 202, body: decision({}) }, { status: 200, body: { id: "a" } });
    await expect(useDocuments().decide("a", VERDICT)).rejects.toThrow();
    await useDocuments().decide("a", VERDICT);
    const keys = asked.mock.calls.filter((call) => String(call[0]).endsWith("/decision")).map(keyOf);
    expect([keys.length, keys[0] === keys[1], keys[0] !== ""]).toEqual([2, true, true]);
  });

  it("asks again under the same key after a reload", async () => {
    const asked = answerWith(null);
    await expect(useDocuments().decide("a", VERDICT)).rejects.toThrow();
    setActivePinia(createPinia());
    await expect(useDocuments().decide("a", VERDICT)).rejects.toThrow();
    const keys = asked.mock.calls.filter((call) => String(call[0]).endsWith("/decision")).map(keyOf);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  });

  it("waits for the first answer where the same decision is still being taken", async () => {
    const running = { status: 409, body: { code: "idempotency_key_in_progress" } };
    const asked = answerWith(running, { status: 202, body: decision({}) }, { status: 200, body: { id: "a" } });
    await useDocuments().decide("a", VERDICT);
    const keys = asked.mock.calls.filter((call) => String(call[0]).endsWith("/decision")).map(keyOf);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  });

  it("takes a new key for a new intention after a refusal, and reads what the document is now", async () => {
    const changed = { status: 409, body: { code: "erp_bridge.document_changed", detail: "变更" } };
    const asked = answerWith(changed, { status: 200, body: { id: "a", version: "v2" } }, { status: 202, body: decision({}) }, { status: 200, body: { id: "a" } });
    await expect(useDocuments().decide("a", VERDICT)).rejects.toThrow("变更");
    expect(useDocuments().details.a?.version).toBe("v2");
    await useDocuments().decide("a", { ...VERDICT, version: "v2" });
    const keys = asked.mock.calls.filter((call) => String(call[0]).endsWith("/decision")).map(keyOf);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe("how a decision goes", () => {
  it("shows the way, and where it ended", () => {
    expect(stepsOf(decision({ state: "sent" })).map((step) => step.state)).toEqual(["done", "now", "to come"]);
    expect(stepsOf(decision({ state: "confirmed" })).map((step) => step.state)).toEqual(["done", "done", "done"]);
    expect(stepsOf(decision({ state: "refused" })).map((step) => step.name)).toEqual(["queued", "refused"]);
    expect(stepsOf(decision({ state: "unknown", sent_at: "2026-01-01T00:00:00Z" })).map((step) => step.name)).toEqual(["queued", "sent", "unknown"]);
  });

  it("says why in words, and names a code it does not know", () => {
    expect(whyOf("erp_bridge.document_changed")).toContain("修改");
    expect(whyOf("erp.never_heard_of")).toContain("erp.never_heard_of");
    expect(whyOf(null)).toBe("");
  });

  it("marks a document by its decision while it waits, then by its end", () => {
    const one = (said: Partial<ErpApproval>): ErpApproval => ({ id: "a", state: "pending", decision: null, ...said }) as ErpApproval;
    expect(markOf(one({ decision: decision({ state: "unknown" }) }))).toEqual({ text: "结果待确认", warns: true });
    expect(markOf(one({})).text).toBe("待审批");
    expect(markOf(one({ state: "rejected", decision: decision({ state: "confirmed" }) }))).toEqual({ text: "已驳回", warns: true });
  });
});
