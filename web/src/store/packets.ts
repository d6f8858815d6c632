// Red packets and my wallet: read when shown, moved by the stream; money is never guessed, only what the server said.
import { defineStore } from "pinia";
import { ref } from "vue";
import { keep, recall } from "./db";
import { useMe } from "./me";
import { get, post } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Budget, Grab, Packet, Page, StreamEvent, Wallet, WalletEntry } from "@/api/shapes";

const KEY = "wallet";

type Kept = { wallet: Wallet; entries: WalletEntry[]; packets: Packet[] };

export const usePackets = defineStore("packets", () => {
  const packets = ref<Record<string, Packet>>({});
  const wallet = ref<Wallet | null>(null);
  const entries = ref<WalletEntry[]>([]);
  const cursor = ref<string | null>(null);
  const budgets = ref<Budget[]>([]);
  const problem = ref<Problem | null>(null);
  const asked = new Map<string, Promise<Packet>>();
  const me = useMe();

  async function restore(): Promise<void> {
    const kept = await recall<Kept>(KEY);
    if (!kept || wallet.value) return;
    [wallet.value, entries.value] = [kept.wallet, kept.entries];
    packets.value = { ...Object.fromEntries(kept.packets.map((packet) => [packet.id, packet])), ...packets.value };
  }

  async function refresh(): Promise<void> {
    try {
      const [balance, page] = await Promise.all([get<Wallet>("/wallet"), get<Page<WalletEntry>>("/wallet/entries?limit=20")]);
      [wallet.value, entries.value, cursor.value, problem.value] = [balance, page.items, page.next_cursor, null];
      save();
    } catch (error) {
      problem.value = asProblem(error);
    }
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    const page = await get<Page<WalletEntry>>(`/wallet/entries?limit=20&cursor=${encodeURIComponent(cursor.value)}`);
    entries.value = [...entries.value, ...page.items];
    cursor.value = page.next_cursor;
  }

  /** Read a packet once, however many envelopes of it are on the screen. */
  function read(id: string): Promise<Packet> {
    const reading = asked.get(id) ?? get<Packet>(`/red-packets/${id}`).then(put).finally(() => asked.delete(id));
    asked.set(id, reading);
    return reading;
  }

  /** Take my share. Asking again gives the same share, so a call whose answer was lost is simply repeated. */
  async function grab(id: string): Promise<Grab> {
    const grabbed = await post<Grab>(`/red-packets/${id}/grab`);
    const known = packets.value[id];
    if (known && grabbed.result === "won") put({ ...known, mine: grabbed.share });
    if (known && grabbed.result === "sold_out") put({ ...known, state: "exhausted", remaining: 0 });
    return grabbed;
  }

  /** Stop a packet: withdraw it whole, or close it and let the rest go back. */
  const stop = async (id: string, how: "cancellation" | "closing"): Promise<Packet> => put(await post<Packet>(`/red-packets/${id}/${how}`));
  const freeze = async (id: string, frozen: boolean, reason: string): Promise<Packet> => put(await post<Packet>(`/red-packets/${id}/freeze`, { frozen, reason }));

  async function readBudgets(): Promise<void> {
    budgets.value = (await get<Page<Budget>>("/budgets?limit=100")).items;
  }

  function hear(event: StreamEvent): void {
    const id = String(event.data.packet_id ?? "");
    const known = packets.value[id];
    if (event.kind === "redpackets.packet_changed" && known) {
      put({ ...known, state: String(event.data.state), remaining: Number(event.data.remaining), frozen: Boolean(event.data.frozen) });
    }
    if (event.kind === "redpackets.share_taken") void taken(id, event.data);
    if (event.kind === "redpackets.approval_decided" && known) void read(id).catch(() => undefined);
    if (event.kind === "redpackets.wallets_settled" && wallet.value) void refresh();
  }

  async function taken(id: string, said: Record<string, unknown>): Promise<void> {
    const known = packets.value[id];
    if (said.holder_id !== me.id) {
      // I sent it: who took what is read again with the packet.
      if (known) await read(id).catch(() => undefined);
      return;
    }
    const mine = { index: Number(said.index), amount_minor: Number(said.amount_minor), unit: String(said.unit) };
    if (known) put({ ...known, mine });
    if (wallet.value) await refresh();
  }

  function put(packet: Packet): Packet {
    packets.value = { ...packets.value, [packet.id]: packet };
    save();
    return packet;
  }

  function save(): void {
    if (!wallet.value) return;
    void keep(KEY, { wallet: wallet.value, entries: entries.value.slice(0, 20), packets: Object.values(packets.value).slice(-30) });
  }

  function clear(): void {
    [packets.value, wallet.value, entries.value, budgets.value, problem.value] = [{}, null, [], [], null];
  }

  return { packets, wallet, entries, cursor, budgets, problem, restore, refresh, more, read, grab, stop, freeze, readBudgets, put, hear, clear };
});
