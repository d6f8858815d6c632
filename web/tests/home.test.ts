import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Home } from "@/api/shapes";
import { forget, openFor } from "@/store/db";
import { useHome } from "@/store/home";

const LIN = "lin";
const homeOf = (value: number): Home => ({ role: "sales_leader", today: "2026-11-22", data_version: 1, badges: { approvals: 0 }, cards: [{ key: "sales", value }] }) as unknown as Home;

beforeEach(async () => {
  await forget(LIN);
  signInAs(LIN);
  openFor(LIN);
  setActivePinia(createPinia());
});

describe("the first screen", () => {
  it("keeps the server's answer that overtakes what is looked up on this phone", async () => {
    answerWith({ status: 200, body: homeOf(7) });
    const home = useHome();
    const restoring = home.restore();
    await home.refresh();
    await restoring;
    expect(home.card("sales")?.value).toBe(7);
  });

  it("shows each answer as it comes, but none that was asked for before the one on the screen", async () => {
    const answers: ((said: Response) => void)[] = [];
    vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => answers.push(resolve)));
    const home = useHome();
    const readings = [home.refresh(), home.refresh(), home.refresh()];
    await vi.waitUntil(() => answers.length === 3);
    const shown: unknown[] = [];
    for (const at of [0, 2, 1]) {
      answers[at]?.(Response.json(homeOf(at)));
      await readings[at];
      shown.push(home.card("sales")?.value);
    }
    expect([shown, home.isLoading]).toEqual([[0, 2, 2], false]);
  });

  it("stands still where a reading finds nothing new", async () => {
    answerWith({ status: 200, body: homeOf(7) });
    const home = useHome();
    await home.refresh();
    const shown = home.home;
    await home.refresh();
    expect(home.home).toBe(shown);
  });

  it("opens to what was kept when there is no network", async () => {
    answerWith({ status: 200, body: homeOf(7) });
    await useHome().refresh();
    setActivePinia(createPinia());
    answerWith(null);
    const again = useHome();
    await Promise.all([again.restore(), again.refresh()]);
    expect([again.card("sales")?.value, again.problem?.isOffline]).toEqual([7, true]);
  });
});
