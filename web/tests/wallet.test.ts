import "./browser";
import { describe, expect, it } from "vitest";
import type { OwnPayout, Wallet } from "@/api/shapes";
import { onItsWay, partsOf } from "@/wallet/rules";

describe("what a wallet says", () => {
  it("is on its way as long as it is neither paid nor back", () => {
    const payouts = [["prepared", "CNY", 100], ["on_its_way", "CNY", 20], ["on_its_way", "USD", 3], ["paid", "CNY", 4], ["returned", "CNY", 5]].map(([state, unit, amount_minor]) => ({ state, unit, amount_minor }) as OwnPayout);
    expect(onItsWay(payouts)).toEqual([{ unit: "CNY", amount_minor: 120 }, { unit: "USD", amount_minor: 3 }]);
  });

  it("names money and points apart, and none of the company's currency where nothing came", () => {
    const points = { unit: "POINT", amount_minor: 7 };
    expect(partsOf({ balances: [points] } as Wallet, "CNY")).toEqual({ money: [{ unit: "CNY", amount_minor: 0 }], points });
  });
});
