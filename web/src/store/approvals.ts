// Packets that wait for my decision: read when shown, moved by the stream.
import { defineStore } from "pinia";
import { ref } from "vue";
import { useMe } from "./me";
import { usePackets } from "./packets";
import { thisStay } from "./stay";
import { get, post } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Packet, Page, StreamEvent, WaitingPacket } from "@/api/shapes";

export const ENDS = ["pending", "approved", "rejected", "lapsed"] as const;
export type End = (typeof ENDS)[number];
export type Decision = { decision: "approve" | "reject"; reason: string; renounce: boolean };

export const useApprovals = defineStore("approvals", () => {
  /** What waits for me, whichever list is on the screen. */
  const waiting = ref<WaitingPacket[]>([]);
  const shown = ref<WaitingPacket[]>([]);
  const end = ref<End>("pending");
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  const me = useMe();
  const packets = usePackets();

  /** Those who decide have the right, or were lent one, which only the list tells. */
  const mayDecide = (): boolean => me.may("redpackets.approve") || me.may("redpackets.manage") || waiting.value.length > 0;

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    try {
      const [pending, other] = await Promise.all([read("pending"), end.value === "pending" ? null : read(end.value)]);
      if (!isStill()) return;
      waiting.value = pending.items;
      [shown.value, cursor.value] = [(other ?? pending).items, (other ?? pending).next_cursor];
      [isLoaded.value, problem.value] = [true, null];
    } catch (error) {
      if (isStill()) problem.value = asProblem(error);
    }
  }

  async function show(other: End): Promise<void> {
    [end.value, shown.value, isLoaded.value] = [other, [], false];
    await refresh();
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    const isStill = thisStay();
    const page = await read(end.value, cursor.value);
    if (!isStill()) return;
    shown.value = [...shown.value, ...page.items];
    cursor.value = page.next_cursor;
  }

  /** Deciding the same again changes nothing, so a call whose answer was lost is simply repeated. */
  async function decide(packetId: string, decision: Decision): Promise<void> {
    const isStill = thisStay();
    const packet = await post<Packet>(`/red-packets/${packetId}/approval`, decision);
    if (!isStill()) return;
    packets.put(packet);
    await refresh();
  }

  function hear(event: StreamEvent): void {
    if (event.kind === "redpackets.approval_requested" || event.kind === "redpackets.right_lent") void refresh();
    if (event.kind === "redpackets.approval_decided" && (isLoaded.value || mayDecide())) void refresh();
  }

  function clear(): void {
    [waiting.value, shown.value, end.value, cursor.value, problem.value, isLoaded.value] = [[], [], "pending", null, null, false];
  }

  const read = (state: End, from = ""): Promise<Page<WaitingPacket>> =>
    get(`/red-packet-approvals?limit=20&state=${state}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);

  return { waiting, shown, end, cursor, problem, isLoaded, mayDecide, refresh, show, more, decide, hear, clear };
});
