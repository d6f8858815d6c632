import "./browser";
import { beforeEach, describe, expect, it } from "vitest";
import { forget, keep, keepAmong, openFor, recall } from "@/store/db";
import { forgetSeen, keepSeen, recallSeen } from "@/store/seen";

beforeEach(async () => {
  await forget("lin");
  openFor("lin");
});

describe("what screens have shown", () => {
  it("is kept as the last of so many, what was looked at again staying", async () => {
    for (const key of ["a", "b", "c"]) await keepAmong("seen:", key, key, 3);
    await keepAmong("seen:", "a", "again", 3);
    await keepAmong("seen:", "d", "d", 3);
    const kept = await Promise.all(["a", "b", "c", "d"].map((key) => recallSeen(key)));
    expect(kept).toEqual(["again", undefined, "c", "d"]);
  });

  it("is in order even where many screens keep at once", async () => {
    await Promise.all([..."abcdefgh"].map((key) => keepAmong("seen:", key, key, 3)));
    const kept = await Promise.all([..."abcdefgh"].map((key) => recallSeen(key)));
    expect(kept.filter(Boolean)).toEqual(["f", "g", "h"]);
  });

  it("takes in what was kept before there was an order", async () => {
    await keep("seen:/old", 1);
    await keepAmong("seen:", "/new", 2, 1);
    expect([await recallSeen("/old"), await recallSeen("/new")]).toEqual([undefined, 2]);
  });

  it("is forgotten whole, and nothing else with it", async () => {
    await keep("wallet", { entries: [] });
    await keepSeen("/a", 1);
    await forgetSeen();
    await keepSeen("/b", 2);
    expect([await recallSeen("/a"), await recallSeen("/b"), await recall("wallet")]).toEqual([undefined, 2, { entries: [] }]);
  });
});
