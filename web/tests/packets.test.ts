import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import type { Packet, PacketProof } from "@/api/shapes";
import { verify } from "@/packets/proof";
import { envelopeState, stoppable } from "@/packets/rules";
import { useGrab } from "@/packets/useGrab";
import { forget, keep, openFor } from "@/store/db";
import { useApprovals } from "@/store/approvals";
import { useOutbox } from "@/store/outbox";
import { usePackets } from "@/store/packets";
import { endStay } from "@/store/stay";

const SHARE = { index: 2, amount_minor: 166, unit: "CNY" };
const packet = (said: Partial<Packet>): Packet => ({ id: "p", state: "open", frozen: false, mine: null, remaining: 3, count: 5, ...said }) as Packet;
const grabbing = () => effectScope().run(() => useGrab(() => "p"))!;

beforeEach(() => {
  vi.useRealTimers();
  signInAs("lin");
  setActivePinia(createPinia());
});

describe("opening a packet", () => {
  it("asks again while the server does not know, and shows what it came to", async () => {
    vi.useFakeTimers();
    const asked = answerWith({ status: 202, body: { result: "pending", first: false } }, { status: 200, body: { result: "won", share: SHARE, first: true } });
    const { grabbed, isOpening, open } = grabbing();
    await open();
    expect([grabbed.value?.result, isOpening.value]).toEqual(["pending", true]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([grabbed.value?.share, isOpening.value]).toEqual([SHARE, false]);
    expect(asked.mock.calls.map(([url]) => url)).toEqual(Array(2).fill("/api/v1/red-packets/p/grab"));
  });

  it("is told that somebody froze it, and shows it frozen", async () => {
    answerWith({ status: 423, body: { code: "redpackets.frozen", detail: "红包已被冻结" } }, { status: 200, body: packet({ frozen: true }) });
    const { problem, isOpening, open } = grabbing();
    await open();
    expect([problem.value?.message, isOpening.value]).toEqual(["红包已被冻结", false]);
    expect(envelopeState(usePackets().packets.p)).toBe("frozen");
  });

  it("does not go on asking when a cap is reached", async () => {
    vi.useFakeTimers();
    const asked = answerWith({ status: 403, body: { code: "redpackets.receive_cap_reached", detail: "已达上限" } }, { status: 200, body: packet({}) });
    const { problem, open } = grabbing();
    await open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([problem.value?.code, asked.mock.calls.length]).toEqual(["redpackets.receive_cap_reached", 2]);
  });
});

describe("a packet opened in flight mode", () => {
  const won = { status: 200, body: { result: "won", share: SHARE, first: true } };

  /** Tap, find no network, and leave the screen. */
  async function tapAndLeave(): Promise<void> {
    await forget("lin");
    openFor("lin");
    answerWith(null);
    const scope = effectScope();
    await scope.run(() => useGrab(() => "p"))!.open();
    await useOutbox().flush();
    scope.stop();
  }

  it("is opened once the network is back, though its screen was left and the app started anew", async () => {
    await tapAndLeave();
    setActivePinia(createPinia());
    usePackets().put(packet({}));
    const asked = answerWith(won);
    await useOutbox().restore();
    await useOutbox().flush();
    expect(asked.mock.calls.map(([url]) => url)).toEqual(["/api/v1/red-packets/p/grab"]);
    expect([usePackets().packets.p?.mine, useOutbox().entries]).toEqual([SHARE, []]);
  });

  it("is not opened by who signs in next", async () => {
    await forget("lin");
    openFor("lin");
    let lose = (): void => undefined;
    vi.stubGlobal("fetch", () => new Promise((_resolve, reject) => (lose = () => reject(new TypeError("network")))));
    const opening = grabbing().open();
    await new Promise((resolve) => setTimeout(resolve, 10));
    endStay();
    useOutbox().clear();
    signInAs("wei");
    openFor("wei");
    lose();
    await opening;
    expect(useOutbox().entries).toEqual([]);
  });

  it("that the server was too busy for is opened though its screen was left", async () => {
    await forget("lin");
    openFor("lin");
    answerWith({ status: 503, body: { code: "busy" } });
    const scope = effectScope();
    await scope.run(() => useGrab(() => "p"))!.open();
    expect(useOutbox().waiting).toEqual([]);
    scope.stop();
    expect(useOutbox().waiting.map((entry) => entry.path)).toEqual(["/red-packets/p/grab"]);
  });

  it("is still being opened where one comes back to it", async () => {
    await tapAndLeave();
    answerWith(won);
    const { grabbed } = grabbing();
    await vi.waitUntil(() => grabbed.value?.result === "won");
    expect(useOutbox().entries).toEqual([]);
  });

  it("that is over by then leaves nothing behind, and shows how it is", async () => {
    await tapAndLeave();
    answerWith({ status: 410, body: { code: "redpackets.expired", detail: "已过期" } }, { status: 200, body: packet({ state: "expired" }) });
    await useOutbox().flush();
    await vi.waitUntil(() => usePackets().packets.p?.state === "expired");
    expect(useOutbox().entries).toEqual([]);
  });

  it("is asked for again while the server does not know", async () => {
    await tapAndLeave();
    const asked = answerWith({ status: 202, body: { result: "pending", first: false } }, won);
    await useOutbox().flush();
    await vi.waitUntil(() => asked.mock.calls.length === 2, { timeout: 2_000 });
    await vi.waitUntil(() => !useOutbox().entries.length);
  });
});

describe("the wallet", () => {
  it("is read anew when a redemption of mine moves it, and not for anybody else's", async () => {
    const packets = usePackets();
    answerWith({ status: 200, body: { balances: [], items: [], next_cursor: null } });
    await packets.refresh();
    const asked = answerWith({ status: 200, body: { balances: [{ amount_minor: 5, unit: "POINT" }], items: [], next_cursor: null } });
    const hear = (person_id: string): void => packets.hear({ seq: 1, kind: "redpackets.redemption_changed", ref: null, version: 1, data: { person_id } });
    hear("wei");
    expect(asked).not.toHaveBeenCalled();
    hear("lin");
    await vi.waitUntil(() => packets.wallet?.balances[0]?.amount_minor === 5);
  });

  it("that was kept leaves the packet alone which was read meanwhile", async () => {
    await forget("lin");
    openFor("lin");
    await keep("wallet", { wallet: { balances: [] }, entries: [], packets: [packet({ remaining: 3 }), packet({ id: "q" })] });
    answerWith({ status: 200, body: packet({ remaining: 1 }) });
    const packets = usePackets();
    const restoring = packets.restore();
    await packets.read("p");
    await restoring;
    expect([packets.packets.p?.remaining, packets.packets.q?.remaining]).toEqual([1, 3]);
  });
});

describe("a packet's state", () => {
  it("is what the server says; frozen only while it could be opened", () => {
    expect(envelopeState(packet({ frozen: true }))).toBe("frozen");
    expect(envelopeState(packet({ frozen: true, state: "expired" }))).toBe("expired");
    expect(["lucky", "kudos", "grant"].map((kind) => envelopeState(packet({ kind, state: "exhausted" })))).toEqual(["exhausted", "credited", "credited"]);
    expect(["pending_approval", "rejected", "of tomorrow"].map((state) => envelopeState(packet({ state })))).toEqual(["pending_approval", "rejected", "unknown"]);
  });

  it("says whether it can be withdrawn whole, or only closed", () => {
    expect([stoppable(packet({})), stoppable(packet({ remaining: 5 })), stoppable(packet({ state: "pending_approval" })), stoppable(packet({ state: "exhausted" }))]).toEqual(["closing", "cancellation", "cancellation", null]);
  });

  it("follows the stream, frozen included", () => {
    const packets = usePackets();
    packets.put(packet({}));
    packets.hear({ kind: "redpackets.packet_changed", data: { packet_id: "p", state: "open", remaining: 1, frozen: true } } as never);
    expect([packets.packets.p?.remaining, envelopeState(packets.packets.p)]).toEqual([1, "frozen"]);
  });
});

it("who is asked to approve sees it at once, and a lent right counts", async () => {
  answerWith({ status: 200, body: { items: [{ packet_id: "p", state: "pending" }], next_cursor: null } });
  const approvals = useApprovals();
  expect(approvals.mayDecide()).toBe(false);
  approvals.hear({ kind: "redpackets.approval_requested", data: { packet_id: "p" } } as never);
  await vi.waitFor(() => expect(approvals.waiting).toHaveLength(1));
  expect(approvals.mayDecide()).toBe(true);
});

describe("the proof", () => {
  const parameters = { split: "even", unit: "CNY", total_minor: 10, share_count: 3, min_minor: 1, max_minor: 10 };
  const lines = ["red packet 1", "p", "even", "CNY", 10, 3, 1, 10, "ab12", "4,3,3"].join("\n");
  const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const commit = async (text: string): Promise<string> => hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const proof = { packet_id: "p", algorithm: "red packet 1", settled: true, parameters, seed: "ab12", shares: [4, 3, 3] } as PacketProof;

  it("holds only for the shares that were committed to", async () => {
    proof.commitment = await commit(lines);
    expect(await verify(proof)).toBe("holds");
    expect(await verify({ ...proof, shares: [3, 4, 3] })).toBe("broken");
    expect(await verify({ ...proof, seed: "ab13" })).toBe("broken");
    expect(await verify({ ...proof, seed: null, shares: null })).toBe("waits");
  });
});
