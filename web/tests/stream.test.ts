import { answerWith, signInAs } from "./browser";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Stream } from "@/api/stream";
import { whenIdle } from "@/app/idle";
import { forget, keep, openFor } from "@/store/db";

vi.mock("socket.io-client", () => ({ io: () => ({ on: () => undefined, disconnect: () => undefined }) }));
vi.stubGlobal("document", { addEventListener: () => undefined });

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
