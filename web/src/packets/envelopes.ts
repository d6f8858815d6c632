// The envelopes of one screen are read in one call.
import { get } from "@/api/call";
import type { Packet } from "@/api/shapes";

const TOGETHER_MAX = 50;

type Answer = { resolve: (packet: Packet | Promise<Packet>) => void; reject: (error: unknown) => void; packet: Promise<Packet> };

const waiting = new Map<string, Answer>();

const readAlone = (id: string): Promise<Packet> => get<Packet>(`/red-packets/${id}`);

/** Read a packet, together with all that are asked for in the same moment. */
export function readEnvelope(id: string): Promise<Packet> {
  if (!waiting.size) queueMicrotask(() => void readWaiting());
  const answer = waiting.get(id) ?? awaited();
  waiting.set(id, answer);
  return answer.packet;
}

function awaited(): Answer {
  const answer = {} as Answer;
  answer.packet = new Promise((resolve, reject) => Object.assign(answer, { resolve, reject }));
  return answer;
}

async function readWaiting(): Promise<void> {
  const all = [...waiting];
  waiting.clear();
  if (all.length === 1) return readAlone(all[0]![0]).then(all[0]![1].resolve, all[0]![1].reject);
  for (let start = 0; start < all.length; start += TOGETHER_MAX) void readTogether(new Map(all.slice(start, start + TOGETHER_MAX)));
}

async function readTogether(asked: Map<string, Answer>): Promise<void> {
  try {
    const { items } = await get<{ items: Packet[] }>(`/red-packets/envelopes?ids=${[...asked.keys()].join(",")}`);
    const found = new Map(items.map((packet) => [packet.id, packet]));
    // What is left out is asked for by itself: only that answer says why.
    for (const [id, { resolve }] of asked) resolve(found.get(id) ?? readAlone(id));
  } catch (error) {
    for (const { reject } of asked.values()) reject(error);
  }
}
