import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import { learnTime, now } from "@/app/clock";
import { close, forget, keepDraft, openFor, recallDraft } from "@/store/db";
import { answerKey, saveDrafts, useDraft } from "@/store/drafts";
import { useFeed } from "@/store/feed";
import { useOutbox } from "@/store/outbox";
import { endStay } from "@/store/stay";

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  answerWith(null);
});

describe("a draft", () => {
  it("keeps the last word too when the sign-in ends while it is typed", async () => {
    const scope = effectScope();
    const { draft, isRestored } = scope.run(() => useDraft("compose", () => ({ body: "" })))!;
    await isRestored;
    draft.body = "the last word";
    saveDrafts();
    close();
    scope.stop();
    openFor("lin");
    expect(await recallDraft("compose")).toEqual({ body: "the last word" });
  });
});

describe("a draft of who has left", () => {
  it("is neither kept for the next person nor taken from them", async () => {
    const scope = effectScope();
    const { draft, isRestored, discard } = scope.run(() => useDraft("verdict:a", () => ({ reason: "" })))!;
    await isRestored;
    saveDrafts();
    endStay();
    await forget("wei");
    openFor("wei");
    await keepDraft("verdict:a", { reason: "of wei" });
    draft.reason = "of lin";
    saveDrafts();
    await discard();
    scope.stop();
    expect(await recallDraft("verdict:a")).toEqual({ reason: "of wei" });
  });
});

describe("an answer", () => {
  it("is kept until the server has taken it", async () => {
    setActivePinia(createPinia());
    await keepDraft(answerKey("p"), { words: "yes" });
    const entry = { method: "POST", path: "/posts/p/acknowledgement", body: { answer: "yes" } };
    answerWith({ status: 409, body: { code: "feeds.not_asked" } }, { status: 200, body: { acknowledged_at: "2026-11-22T00:00:00Z", answer: "yes" } });
    await useFeed().acknowledge("p", "yes");
    await useOutbox().flush();
    expect(await recallDraft(answerKey("p"))).toEqual({ words: "yes" });
    await useOutbox().add({ kind: "acknowledgement", ...entry });
    await useOutbox().flush();
    await vi.waitUntil(async () => (await recallDraft(answerKey("p"))) === undefined);
  });
});

describe("the time", () => {
  const answered = (at: number) => new Response(null, { headers: { Date: new Date(at).toUTCString() } });

  it("is known from last time before the server has spoken", async () => {
    learnTime(answered(Date.now() - 86_400_000));
    vi.resetModules();
    const restarted = await import("@/app/clock");
    expect(Math.abs(restarted.now() - Date.now() + 86_400_000)).toBeLessThan(5_000);
    learnTime(answered(Date.now()));
  });

  it("is the server's where the phone's clock is wrong, and the phone's own otherwise", () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 23) });
    learnTime(answered(Date.UTC(2026, 10, 22)));
    expect(now()).toBe(Date.UTC(2026, 10, 22));
    learnTime(answered(Date.UTC(2026, 10, 23, 0, 0, 5)));
    expect(now()).toBe(Date.UTC(2026, 10, 23));
    learnTime(new Response(null));
    expect(now()).toBe(Date.UTC(2026, 10, 23));
    vi.useRealTimers();
  });
});
