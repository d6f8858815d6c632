// The stream: one Socket.IO connection for all tabs, resumed by its number after sleep, a change of network or a killed gateway.
import { io, type Socket } from "socket.io-client";
import { ref } from "vue";
import { get } from "./call";
import { asProblem, Problem } from "./problem";
import { type Standing, StreamReader } from "./reader";
import { renew, token, whoIsHere } from "./session";
import type { StreamEvent, Sync } from "./shapes";
import { lead } from "@/app/locks";
import { noteAnswer, noteSilence, onReturn } from "@/app/network";
import { keep, recall } from "@/store/db";

export type Hearers = { hear: (event: StreamEvent) => void; resync: () => Promise<void>; rereadFirst: () => Promise<void> };
type Told = { from: string; n: number } & ({ event: StreamEvent } | { resync: true } | { isLive: boolean } | { asks: true });

const RETRY_MS = [300, 1_000, 2_000, 5_000, 10_000];
const ACK_MS = 3_000;
const PLACE_MS_MAX = 3_000;
const KEY = "stream";

/** Whether events arrive right now. */
export const isLive = ref(false);

export class Stream {
  readonly #over = new AbortController();
  readonly #tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("workspace.stream");
  readonly #whose = whoIsHere();
  readonly #me = Math.random().toString(36).slice(2);
  #socket: Socket | null = null;
  #reader = new StreamReader({ epoch: null, seq: 0 }, () => undefined, () => undefined);
  #attempt = 0;
  #acknowledged = 0;
  #told = 0;
  #heardFrom = { from: "", n: 0 };
  #retry: ReturnType<typeof setTimeout> | undefined;
  #placed!: () => void;
  /** Over when we know our place in the log: what is read from then on misses nothing. Not waited for where nobody answers. */
  readonly isPlaced = new Promise<void>((resolve) => (this.#placed = resolve));

  constructor(private readonly hearers: Hearers) {
    setTimeout(this.#placed, PLACE_MS_MAX);
    if (this.#tabs) this.#tabs.onmessage = (message: MessageEvent<Told>) => this.#listen(message.data);
    // Whoever leads says whether events arrive.
    this.#tabs?.postMessage({ from: this.#me, n: 0, asks: true } satisfies Told);
    lead("workspace.stream", () => void this.#begin(), this.#over.signal);
    onReturn(() => this.#connectSoon(0));
    setInterval(() => this.#acknowledge(), ACK_MS);
    document.addEventListener("visibilitychange", () => this.#look());
  }

  stop(): void {
    this.#over.abort();
    clearTimeout(this.#retry);
    if (this.#socket) this.#drop();
    this.#tabs?.close();
    isLive.value = false;
  }

  /** This tab leads: it connects, and tells the others what it hears. */
  async #begin(): Promise<void> {
    try {
      const kept = await recall<Standing>(KEY);
      const standing = kept ?? (await whereToBegin());
      if (this.#over.signal.aborted) return;
      this.#reader = new StreamReader(standing, (event) => this.#take(event), (after) => this.#socket?.emit("replay", { after }));
      if (!kept) void this.hearers.rereadFirst();
      this.#connect();
      this.#placed();
    } catch (error) {
      this.#placed();
      if (asProblem(error).isPassing) setTimeout(() => void this.#begin(), this.#pause());
    }
  }

  #connect(): void {
    const auth = (give: (auth: object) => void): void => {
      const { epoch, seq } = this.#reader.standing;
      token(this.#whose)
        .then((access) => give({ token: access, epoch, after: seq }))
        // It never was connected, so nothing tells that it ends.
        .catch(() => socket === this.#socket && this.#again());
    };
    const socket = io({ transports: ["websocket"], reconnection: false, auth, timeout: 10_000 });
    this.#socket = socket;
    socket.on("connect", () => {
      this.#reader.begin();
      noteAnswer();
    });
    socket.on("event", (event: StreamEvent) => this.#reader.read(event));
    socket.on("caught_up", (at: { seq: number; epoch: string }) => this.#caughtUp(at));
    socket.on("resync", (at: { head: number; epoch: string }) => void this.#startOver(at));
    socket.on("problem", () => void this.#dismissed());
    socket.on("connect_error", (error: Error & { data?: { status: number; code: string } }) => void this.#refused(error));
    socket.on("disconnect", (reason) => void (reason === "io server disconnect" ? this.#dismissed() : this.#again()));
  }

  #take(event: StreamEvent): void {
    this.hearers.hear(event);
    this.#tell({ event });
    void keep(KEY, this.#reader.standing);
  }

  #caughtUp(at: { seq: number; epoch: string }): void {
    this.#attempt = 0;
    this.#reader.catchUp(at.seq, at.epoch);
    void keep(KEY, this.#reader.standing);
    this.#setLive(true);
  }

  /** The log cannot go on from our number: hold the new one, then read every screen anew. */
  async #startOver(at: { head: number; epoch: string }): Promise<void> {
    this.#reader.startOver(at.head, at.epoch);
    this.#tell({ resync: true });
    await this.hearers.resync();
    await keep(KEY, this.#reader.standing);
  }

  async #refused(error: Error & { data?: { status: number } }): Promise<void> {
    if (!error.data) noteSilence();
    if (error.data?.status === 401) await this.#renew();
    this.#again();
  }

  /** The sign-in may have ended; asking for a token tells. */
  async #dismissed(): Promise<void> {
    this.#drop();
    await this.#renew();
    this.#connectSoon(this.#pause());
  }

  #again(): void {
    this.#drop();
    this.#connectSoon(this.#pause());
  }

  #drop(): void {
    if (isLive.value) this.#setLive(false);
    this.#socket?.removeAllListeners();
    this.#socket?.disconnect();
    this.#socket = null;
  }

  readonly #renew = (): Promise<unknown> =>
    token(this.#whose)
      .then((access) => renew(access, this.#whose))
      .catch(() => undefined);

  #connectSoon(pause: number): void {
    clearTimeout(this.#retry);
    if (this.#socket || this.#over.signal.aborted || !this.#reader.standing.epoch) return;
    this.#retry = setTimeout(() => {
      if (!this.#socket && !this.#over.signal.aborted) this.#connect();
    }, pause);
  }

  #pause(): number {
    const pause = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)] as number;
    return pause * (0.5 + Math.random());
  }

  /** A phone that woke up does not wait for its timer. */
  #look(): void {
    if (document.visibilityState === "visible") this.#connectSoon(0);
    else this.#acknowledge();
  }

  #acknowledge(): void {
    const { seq } = this.#reader.standing;
    if (!this.#socket?.connected || seq <= this.#acknowledged) return;
    this.#acknowledged = seq;
    this.#socket.emit("ack", { seq });
  }

  #setLive(live: boolean): void {
    isLive.value = live;
    this.#tell({ isLive: live });
  }

  #tell(news: { event: StreamEvent } | { resync: true } | { isLive: boolean }): void {
    this.#tabs?.postMessage({ from: this.#me, n: ++this.#told, ...news });
  }

  /** This tab follows: a number left out means that something was missed. */
  #listen(told: Told): void {
    if ("asks" in told) {
      if (this.#socket) this.#tell({ isLive: isLive.value });
      return;
    }
    this.#placed();
    const before = this.#heardFrom;
    this.#heardFrom = { from: told.from, n: told.n };
    if ("isLive" in told) isLive.value = told.isLive;
    if ("event" in told) this.hearers.hear(told.event);
    const missed = before.from === told.from && told.n > before.n + 1;
    if (missed || "resync" in told || (before.from && before.from !== told.from)) void this.hearers.resync();
  }
}

/** Where the log stands now: what is read afterwards is at least as new. */
async function whereToBegin(): Promise<Standing> {
  try {
    const at = await get<Sync>("/sync?after=0&limit=1");
    return { epoch: at.epoch, seq: at.head };
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "delivery.resync") throw error;
    return { epoch: String(error.body.epoch), seq: Number(error.body.head) };
  }
}
