import { signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { noteAnswer } from "@/app/network";
import { person } from "@/api/session";
import type { Person } from "@/api/shapes";
import { forget } from "@/store/db";
import { useFeed } from "@/store/feed";
import { useHome } from "@/store/home";
import { followSignIn } from "@/store/presence";

vi.mock("@/api/stream", () => ({ Stream: class { isPlaced = Promise.resolve(); stop = () => undefined; } }));

const BODIES: Record<string, object> = { "/me": { permissions: [], units: [] }, "/home": { cards: [] } };
let asked: string[] = [];
let hasNetwork = true;

async function fetched(url: string): Promise<Response> {
  const path = url.replace(/^\/api\/v1|\?.*$/g, "");
  asked.push(path);
  if (!hasNetwork) throw new TypeError("network");
  return Response.json(BODIES[path] ?? { items: [], next_cursor: null, unread: 0, counted_to: 0, through: 0, version: 0 });
}

beforeEach(async () => {
  await forget("lin");
  vi.stubGlobal("fetch", fetched);
  [asked, hasNetwork] = [[], true];
  setActivePinia(createPinia());
  signInAs("lin");
  person.value = { id: "lin", name: "Lin", login: "lin", title: "" } as Person;
});

describe("the start", () => {
  it("reads who I am, and then one after another what is not on the screen", async () => {
    await followSignIn();
    expect(asked).toEqual(["/me", "/directory/units", "/feed", "/feed/pinned", "/notifications"]);
  });

  it("reads nothing twice that a screen has read already", async () => {
    const begun = followSignIn();
    await useFeed().begin();
    await begun;
    expect(asked.filter((path) => path === "/feed")).toHaveLength(1);
  });

  it("without a network reads when it is back what it could not read before", async () => {
    hasNetwork = false;
    await Promise.all([followSignIn(), useHome().refresh()]);
    [asked, hasNetwork] = [[], true];
    noteAnswer();
    await vi.waitUntil(() => asked.includes("/notifications"));
    expect(asked.sort()).toEqual(["/directory/units", "/feed", "/feed/pinned", "/home", "/me", "/notifications"]);
  });
});
