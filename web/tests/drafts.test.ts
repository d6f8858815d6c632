import { answerWith, signInAs } from "./browser";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import { learnTime, now } from "@/app/clock";
import { close, forget, openFor, recallDraft } from "@/store/db";
import { saveDrafts, useDraft } from "@/store/drafts";

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

describe("the time", () => {
  const answered = (at: number) => new Response(null, { headers: { Date: new Date(at).toUTCString() } });

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
