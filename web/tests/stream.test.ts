import { answerWith, runOut, signInAs } from "./browser";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { person } from "@/api/session";
import { isLive, Stream } from "@/api/stream";
import { whenIdle } from "@/app/idle";
import { forget, keep, openFor } from "@/store/db";

type Hear = (said?: unknown) => void;
type Auth = (give: (auth: { token: string }) => void) => void;

/** What socket.io-client's socket does: one that never was connected ends without a word. */
class Socket {
  static made: Socket[] = [];
  connected = false;
  token = "";
  #hearers = new Map<string, Hear>();

  constructor(auth: Auth) {
    Socket.made.push(this);
    auth((given) => (this.token = given.token));
  }

  on(name: string, hear: Hear): void {
    this.#hearers.set(name, hear);
  }

  removeAllListeners(): void {
    this.#hearers.clear();
  }

  emit(): void {}

  disconnect(): void {
    if (this.connected) this.lose("io client disconnect");
  }

  hear(name: string, said?: unknown): void {
    this.#hearers.get(name)?.(said);
  }

  connect(): void {
    this.connected = true;
    this.hear("connect");
    this.hear("caught_up", { seq: 5, epoch: "e" });
  }

  lose(reason: string): void {
    this.connected = false;
    this.hear("disconnect", reason);
  }
}

vi.mock("socket.io-client", () => ({ io: ({ auth }: { auth: Auth }) => new Socket(auth) }));
vi.stubGlobal("document", { addEventListener: () => undefined });

const socketNo = (n: number): Promise<Socket> => vi.waitUntil(() => Socket.made[n - 1], { timeout: 3_000 });
/** What the server trades a refresh token for. */
const renewed = { status: 200, body: { access_token: "fresh", refresh_token: "r2", expires_in: 900, person: { id: "lin", name: "lin", login: "lin", title: "" } } };

/** Listen from a known place on. */
async function stream(): Promise<Stream> {
  await keep("stream", { epoch: "e", seq: 5 });
  return new Stream({ hear: () => undefined, resync: async () => undefined, rereadFirst: async () => undefined });
}

/** Listen until the place in the log is known and nothing is left to do. */
async function listening() {
  const rereadFirst = vi.fn(async () => undefined);
  const stream = new Stream({ hear: () => undefined, resync: async () => undefined, rereadFirst });
  await stream.isPlaced;
  await whenIdle(() => undefined);
  stream.stop();
  return rereadFirst;
}

beforeEach(async () => {
  Socket.made = [];
  await forget("lin");
  signInAs("lin");
  openFor("lin");
});

describe("a phone that begins to listen", () => {
  it("for the first time reads once more what it read before it had a place in the log", async () => {
    const asked = answerWith({ status: 200, body: { epoch: "e", head: 5 } });
    expect(await listening()).toHaveBeenCalledTimes(1);
    expect(asked.mock.calls.map(([url]) => url)).toEqual(["/api/v1/sync?after=0&limit=1"]);
  });

  it("where it left off reads nothing again: all that was missed comes", async () => {
    await keep("stream", { epoch: "e", seq: 5 });
    const asked = answerWith(null);
    expect(await listening()).not.toHaveBeenCalled();
    expect(asked).not.toHaveBeenCalled();
  });

  it("is not waited for where nobody answers", async () => {
    answerWith(null);
    expect(await listening()).not.toHaveBeenCalled();
  });
});

describe("a stream", () => {
  it("comes back when the token ran out in the phone's sleep and could not be renewed at once", async () => {
    runOut();
    answerWith(null, renewed);
    const listening = await stream();
    const second = await socketNo(2);
    await vi.waitUntil(() => second.token);
    second.connect();
    expect([second.token, isLive.value]).toEqual(["fresh", true]);
    listening.stop();
  });

  it("comes back after the server gave it up, with a token of its own", async () => {
    answerWith(renewed);
    const listening = await stream();
    const first = await socketNo(1);
    first.connect();
    first.hear("problem", { code: "unavailable", status: 503 });
    expect(isLive.value).toBe(false);
    const second = await socketNo(2);
    await vi.waitUntil(() => second.token === "fresh");
    expect(first.connected).toBe(false);
    listening.stop();
  });

  it("learns from being given up that its sign-in has ended", async () => {
    answerWith({ status: 401, body: { code: "people.sign_in_ended" } });
    const listening = await stream();
    const first = await socketNo(1);
    first.connect();
    first.hear("problem", { code: "people.sign_in_ended", status: 401 });
    await vi.waitUntil(() => person.value === null);
    listening.stop();
  });

  it("that is stopped stays so", async () => {
    const listening = await stream();
    (await socketNo(1)).connect();
    listening.stop();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([Socket.made.length, isLive.value]).toEqual([1, false]);
  });
});
