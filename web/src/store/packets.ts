// Red packets and my wallet: read when shown, moved by the stream; money is never guessed, only what the server said.
import { defineStore } from "pinia";
import { ref } from "vue";
import { keep, recall } from "./db";
import { useMe } from "./me";
import { type Entry, useOutbox } from "./outbox";
import { thisStay } from "./stay";
import { get, post } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import { readEnvelope } from "@/packets/envelopes";
import type { Budget, Grab, Packet, Page, StreamEvent, Wallet, WalletEntry } from "@/api/shapes";

const KEY = "wallet";

const WALLET_MOVED = ["redpackets.wallets_settled", "redpackets.points_expired"];

/** The server does not know yet whether there is a share for me. */
const ASK_AGAIN_MS = 700;

const grabOf = (id: string): string => `/red-packets/${id}/grab`;
const idIn = (entry: Entry): string => entry.path.split("/")[2] as string;

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
  const outbox = useOutbox();

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const kept = await recall<Kept>(KEY);
    if (!isStill() || !kept || wallet.value) return;
    [wallet.value, entries.value] = [kept.wallet, kept.entries];
    packets.value = { ...Object.fromEntries(kept.packets.map((packet) => [packet.id, packet])), ...packets.value };
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    try {
      const [balance, page] = await Promise.all([get<Wallet>("/wallet"), get<Page<WalletEntry>>("/wallet/entries?limit=20")]);
      if (!isStill()) return;
      [wallet.value, entries.value, cursor.value, problem.value] = [balance, page.items, page.next_cursor, null];
      save();
    } catch (error) {
      if (isStill()) problem.value = asProblem(error);
    }
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    const isStill = thisStay();
    const page = await get<Page<WalletEntry>>(`/wallet/entries?limit=20&cursor=${encodeURIComponent(cursor.value)}`);
    if (!isStill()) return;
    entries.value = [...entries.value, ...page.items];
    cursor.value = page.next_cursor;
  }

  /** Read a packet once, however many envelopes of it are on the screen. */
  function read(id: string): Promise<Packet> {
    const known = asked.get(id);
    if (known) return known;
    const reading = take(readEnvelope(id)).finally(() => asked.get(id) === reading && asked.delete(id));
    asked.set(id, reading);
    return reading;
  }

  /** Take my share. Asking again gives the same share, so a call whose answer was lost is simply repeated. */
  async function grab(id: string): Promise<Grab> {
    const isStill = thisStay();
    const grabbed = await post<Grab>(grabOf(id));
    if (isStill()) grabSaid(id, grabbed);
    return grabbed;
  }

  /** What the server could not be asked now, it is asked when it is back, wherever I am then. */
  async function grabLater(id: string): Promise<void> {
    if (!isGrabWaiting(id)) await outbox.add({ kind: "grab", method: "POST", path: grabOf(id), body: {} });
  }

  const isGrabWaiting = (id: string): boolean => waitingGrabs(id).length > 0;
  const waitingGrabs = (id: string): Entry[] => outbox.waiting.filter((entry) => entry.kind === "grab" && entry.path === grabOf(id));
  const dropGrab = (id: string): void => waitingGrabs(id).forEach((entry) => void outbox.remove(entry.id));

  function grabSaid(id: string, grabbed: Grab): void {
    if (grabbed.result !== "pending") dropGrab(id);
    const known = packets.value[id];
    if (known && grabbed.result === "won") put({ ...known, mine: grabbed.share });
    if (known && grabbed.result === "sold_out") put({ ...known, state: "exhausted", remaining: 0 });
  }

  function grabTaken(entry: Entry, answer: unknown): void {
    const [id, isStill] = [idIn(entry), thisStay()];
    grabSaid(id, answer as Grab);
    if ((answer as Grab).result === "pending") setTimeout(() => isStill() && void grabLater(id), ASK_AGAIN_MS);
  }

  /** Over, frozen or not for me: the packet as it is now says so. */
  function grabRefused(entry: Entry): void {
    void outbox.remove(entry.id);
    void read(idIn(entry)).catch(() => undefined);
  }

  outbox.whenSettled("grab", grabTaken, grabRefused);

  /** Stop a packet: withdraw it whole, or close it and let the rest go back. */
  const stop = (id: string, how: "cancellation" | "closing"): Promise<Packet> => take(post<Packet>(`/red-packets/${id}/${how}`));
  const freeze = (id: string, frozen: boolean, reason: string): Promise<Packet> => take(post<Packet>(`/red-packets/${id}/freeze`, { frozen, reason }));

  async function readBudgets(): Promise<void> {
    const isStill = thisStay();
    const page = await get<Page<Budget>>("/budgets?limit=100&give_only=false");
    if (isStill()) budgets.value = page.items;
  }

  function hear(event: StreamEvent): void {
    const id = String(event.data.packet_id ?? "");
    const known = packets.value[id];
    if (event.kind === "redpackets.packet_changed" && known) {
      put({ ...known, state: String(event.data.state), remaining: Number(event.data.remaining), frozen: Boolean(event.data.frozen) });
    }
    if (event.kind === "redpackets.share_taken") void taken(id, event.data);
    if (event.kind === "redpackets.approval_decided" && known) void read(id).catch(() => undefined);
    if (wallet.value && movesMine(event)) void refresh();
  }

  const movesMine = ({ kind, data }: StreamEvent): boolean => WALLET_MOVED.includes(kind) || (kind === "redpackets.redemption_changed" && data.person_id === me.id);

  /** A packet as the server has just said it is. */
  async function take(answer: Promise<Packet>): Promise<Packet> {
    const isStill = thisStay();
    const packet = await answer;
    return isStill() ? put(packet) : packet;
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
    asked.clear();
    [packets.value, wallet.value, entries.value, cursor.value, budgets.value, problem.value] = [{}, null, [], null, [], null];
  }

  return { packets, wallet, entries, cursor, budgets, problem, restore, refresh, more, read, grab, grabLater, isGrabWaiting, dropGrab, stop, freeze, readBudgets, put, hear, clear };
});
