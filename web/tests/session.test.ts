import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import { get } from "@/api/call";
import { end, person, renew } from "@/api/session";
import { useSeen } from "@/feed/useSeen";

const RENEWED = { access_token: "fresh token of lin", refresh_token: "r2", expires_in: 900, person: { id: "lin", name: "lin", login: "lin", title: "" } };

/** The server answers once it is let go. */
function serverThat(answers: (url: string) => Response) {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const asked = vi.fn(async (url: string, _init?: RequestInit) => {
    await gate;
    return answers(url);
  });
  vi.stubGlobal("fetch", asked);
  return { asked, letGo };
}

beforeEach(() => signInAs("lin"));

describe("a call", () => {
  it("stays its person's: it is never repeated under the token of who signed in meanwhile", async () => {
    const { asked, letGo } = serverThat(() => new Response(null, { status: 401 }));
    const calling = get("/wallet");
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    signInAs("wei");
    letGo();
    await expect(calling).rejects.toMatchObject({ status: 401 });
    expect([asked.mock.calls.length, person.value?.id]).toEqual([1, "wei"]);
  });
});

describe("what was seen", () => {
  it("was not seen by who signs in as its screen is left", async () => {
    let look = (_seen: object[]): void => undefined;
    vi.stubGlobal("IntersectionObserver", class {
      constructor(seen: typeof look) { look = seen; }
      disconnect(): void {}
    });
    setActivePinia(createPinia());
    const asked = answerWith({ status: 204 });
    const screen = effectScope();
    screen.run(() => useSeen());
    look([{ isIntersecting: true, target: { dataset: { post: "p" } } }]);
    signInAs("wei");
    screen.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("renewing", () => {
  it("does not sign in again who signed out meanwhile", async () => {
    const { asked, letGo } = serverThat(() => Response.json(RENEWED));
    const renewing = renew("token of lin");
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    end("");
    letGo();
    await expect(renewing).rejects.toMatchObject({ status: 401 });
    expect([person.value, localStorage.getItem("workspace.session") ?? null]).toEqual([null, null]);
  });

  it("that is refused does not end the sign-in of who came meanwhile", async () => {
    const { asked, letGo } = serverThat(() => new Response(null, { status: 401 }));
    const renewing = renew("token of lin");
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    signInAs("wei");
    letGo();
    await expect(renewing).rejects.toMatchObject({ status: 401 });
    expect(person.value?.id).toBe("wei");
  });
});
