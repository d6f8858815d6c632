import "./browser";
import { describe, expect, it } from "vitest";
import type { Wallet } from "@/api/shapes";
import { partsOf } from "@/wallet/rules";

describe("what a wallet says", () => {
  it("names money and points apart, and none of the company's currency where nothing came", () => {
    const points = { unit: "POINT", amount_minor: 7 };
    expect(partsOf({ balances: [points] } as Wallet, "CNY")).toEqual({ money: [{ unit: "CNY", amount_minor: 0 }], points });
  });
});
