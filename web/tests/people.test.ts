import "./browser";
import { describe, expect, it } from "vitest";
import type { Unit } from "@/api/shapes";
import { childrenOf, pathTo } from "@/people/usePeople";
import { remembered } from "@/search/rules";

const unit = (id: string, parent_id: string | null): Unit => ({ id, parent_id, tree: "admin", code: id, name: id }) as Unit;
const TREE = [unit("top", null), unit("east", "top"), unit("west", "top"), unit("shop", "east")];

describe("the directory", () => {
  it("goes down unit by unit and knows the way back", () => {
    expect(childrenOf(TREE, null).map((one) => one.id)).toEqual(["top"]);
    expect(childrenOf(TREE, TREE[0]!).map((one) => one.id)).toEqual(["east", "west"]);
    expect(pathTo(TREE, TREE[3]!).map((one) => one.id)).toEqual(["top", "east"]);
  });

  it("begins with what I may see where the units above are not mine to see", () => {
    expect(childrenOf(TREE.slice(1), null).map((one) => one.id)).toEqual(["east", "west"]);
  });
});

describe("recent searches", () => {
  it("keeps the latest first, each once, and only a few", () => {
    expect(remembered(["盘点", "出差"], " 出差 ")).toEqual(["出差", "盘点"]);
    expect(remembered(["盘点"], "  ")).toEqual(["盘点"]);
    expect(remembered(["1", "2", "3", "4", "5", "6", "7", "8"], "9")).toHaveLength(8);
  });
});
