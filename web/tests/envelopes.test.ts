import { answerWith, signInAs } from "./browser";
import { beforeEach, describe, expect, it } from "vitest";
import type { Packet } from "@/api/shapes";
import { readEnvelope } from "@/packets/envelopes";
import { hidesClaims, isInsider } from "@/packets/rules";

const packet = (id: string, said: Partial<Packet> = {}): Packet => ({ id, state: "open", mine: null, ...said }) as Packet;
const paths = (asked: ReturnType<typeof answerWith>): string[] => asked.mock.calls.map(([url]) => String(url).replace("/api/v1/red-packets/", ""));

beforeEach(() => signInAs("lin"));

describe("the envelopes of a screen", () => {
  it("are read in one call, each once", async () => {
    const asked = answerWith({ status: 200, body: { items: [packet("b"), packet("a"), packet("c")] } });
    const read = await Promise.all(["a", "b", "a", "c"].map(readEnvelope));
    expect(read.map((one) => one.id)).toEqual(["a", "b", "a", "c"]);
    expect(paths(asked)).toEqual(["envelopes?ids=a,b,c"]);
  });

  it("are asked for by themselves where one is alone, or was left out, to hear why", async () => {
    const asked = answerWith(
      { status: 200, body: packet("a") },
      { status: 200, body: { items: [packet("a")] } },
      { status: 404, body: { code: "not_found", detail: "找不到" } },
    );
    expect((await readEnvelope("a")).id).toBe("a");
    const [one, other] = await Promise.allSettled(["a", "b"].map(readEnvelope));
    expect([one!.status, (other as PromiseRejectedResult).reason.code]).toEqual(["fulfilled", "not_found"]);
    expect(paths(asked)).toEqual(["a", "envelopes?ids=a,b", "b"]);
  });

  it("all fail where the call fails", async () => {
    answerWith({ status: 503, body: { code: "unavailable", detail: "稍后再试" } });
    const read = await Promise.allSettled(["a", "b"].map(readEnvelope));
    expect(read.map((one) => (one as PromiseRejectedResult).reason.code)).toEqual(["unavailable", "unavailable"]);
  });
});

describe("who got what", () => {
  it("is due for whoever has a share or came too late, where its sender lets them", () => {
    const share = { index: 0, amount_minor: 1, unit: "CNY" };
    expect(hidesClaims(packet("a", { shows_claims: true, mine: share }))).toBe(true);
    expect(hidesClaims(packet("a", { shows_claims: true, state: "exhausted" }))).toBe(true);
    expect(hidesClaims(packet("a", { shows_claims: true }))).toBe(false);
    expect(hidesClaims(packet("a", { shows_claims: false, mine: share }))).toBe(false);
    expect(hidesClaims(packet("a", { shows_claims: true, mine: share, claims: [] }))).toBe(false);
  });

  it("is all that who does not answer for the money sees of it", () => {
    expect([isInsider(packet("a", { claims: [] })), isInsider(packet("a", { total_minor: 5 }))]).toEqual([false, true]);
  });
});
