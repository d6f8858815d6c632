import { describe, expect, it, vi } from "vitest";
import { first, whenIdle } from "@/app/idle";

const answerOnDemand = <Answer>(): { answer: (said: Answer) => void; errand: Promise<Answer> } => {
  let answer!: (said: Answer) => void;
  return { errand: new Promise<Answer>((resolve) => (answer = resolve)), answer };
};

describe("what can wait", () => {
  it("lets go first what somebody waits for, and then one goes after another", async () => {
    const done: string[] = [];
    const { answer, errand } = answerOnDemand<string>();
    void first(errand.then((said) => done.push(said)));
    const all = ["a", "b"].map((name) => whenIdle(() => done.push(name)));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(done).toEqual([]);
    answer("the screen");
    await Promise.all(all);
    expect(done).toEqual(["the screen", "a", "b"]);
  });

  it("is not held up by what fails", async () => {
    const next = vi.fn();
    await whenIdle(() => Promise.reject(new Error("no network")));
    await first(Promise.reject(new Error("no network"))).catch(() => undefined);
    await whenIdle(next);
    expect(next).toHaveBeenCalledTimes(1);
  });
});
