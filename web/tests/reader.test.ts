import { describe, expect, it } from "vitest";
import { StreamReader } from "@/api/reader";
import type { StreamEvent } from "@/api/shapes";

const event = (n: number, seq: number): StreamEvent => ({ n, seq, kind: "k", ref: null, version: 0, data: {} });

function listening(seq = 0) {
  const taken: number[] = [];
  const asked: number[] = [];
  const reader = new StreamReader({ epoch: "e", seq }, (heard) => taken.push(heard.seq), (after) => asked.push(after));
  return { reader, taken, asked };
}

describe("the stream's reader", () => {
  it("takes each event once, in order", () => {
    const { reader, taken } = listening(5);
    [event(1, 4), event(2, 6), event(3, 6), event(4, 9)].forEach((heard) => reader.read(heard));
    expect(taken).toEqual([6, 9]);
    expect(reader.standing.seq).toBe(9);
  });

  it("asks for what a gap left out, and takes nothing that would overtake it", () => {
    const { reader, taken, asked } = listening();
    // Frame 2 (number 12) was lost; 3 and 4 were on the way when the replay was asked for.
    [event(1, 11), event(3, 13), event(4, 14)].forEach((heard) => reader.read(heard));
    expect([taken, asked]).toEqual([[11], [11]]);
    [event(5, 12), event(6, 13), event(7, 14)].forEach((heard) => reader.read(heard));
    expect(taken).toEqual([11, 12, 13, 14]);
    expect(asked).toEqual([11]);
  });

  it("counts frames anew on a new connection", () => {
    const { reader, taken, asked } = listening();
    reader.read(event(7, 1));
    reader.begin();
    reader.read(event(1, 2));
    expect([taken, asked]).toEqual([[1, 2], []]);
  });

  it("starts over where the log cannot go on", () => {
    const { reader, taken } = listening(500);
    reader.startOver(3, "other");
    reader.read(event(1, 4));
    expect([taken, reader.standing]).toEqual([[4], { epoch: "other", seq: 4 }]);
  });
});
