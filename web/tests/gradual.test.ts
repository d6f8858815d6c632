import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import { useGradual } from "@/ui/useGradual";

describe("a long list", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const within = <Result>(work: () => Result): Result => effectScope().run(work) as Result;

  it("appears over several frames the first time, and whole ever after", async () => {
    const items = ref<number[]>([]);
    const shown = within(() => useGradual("first", () => items.value));
    expect(shown.value).toEqual([]);
    items.value = [1, 2, 3, 4];
    await nextTick();
    expect(shown.value).toEqual([1, 2]);
    vi.advanceTimersByTime(16);
    expect(shown.value).toEqual([1, 2, 3]);
    vi.runAllTimers();
    items.value = [1, 2, 3, 4, 5, 6];
    expect(shown.value).toHaveLength(6);
    expect(within(() => useGradual("first", () => [1, 2, 3])).value).toEqual([1, 2, 3]);
  });

  it("is left in the middle without a word", () => {
    const scope = effectScope();
    scope.run(() => useGradual("left", () => [1, 2, 3, 4]));
    scope.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
