// Writes on their way: kept until the server has answered, sent in the order they were made, by one tab at a time.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { allEntries, dropEntry, dropPhoto, openedFor, putEntry, recallPhoto } from "./db";
import { thisStay } from "./stay";
import { call } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem, Problem } from "@/api/problem";
import { whoIsHere } from "@/api/session";
import { upload } from "@/api/upload";
import { now } from "@/app/clock";
import { t } from "@/app/i18n";
import { withLock } from "@/app/locks";
import { onReturn } from "@/app/network";

export type EntryKind = "post" | "comment" | "acknowledgement" | "reaction" | "reading" | "grab";

export type Entry = {
  id: string;
  /** Who made it: it goes out in nobody else's name. */
  personId: string;
  kind: EntryKind;
  method: string;
  path: string;
  body: Record<string, unknown>;
  madeAt: string;
  /** Photos that go before it, by the keys they are kept under; what is uploaded is not sent again. */
  photos?: string[];
  uploaded?: Record<string, string>;
  /** What the server said against it; without it the entry still waits. */
  refusal?: string;
  code?: string;
};

export type Write = Omit<Entry, "id" | "personId" | "madeAt">;
export type Settled = (entry: Entry, answer: unknown) => void;

const RETRY_MS = [1_000, 3_000, 10_000, 30_000];

export const useOutbox = defineStore("outbox", () => {
  const entries = ref<Entry[]>([]);
  const waiting = computed(() => entries.value.filter((entry) => !entry.refusal));
  /** How much of an entry's photos is uploaded, from 0 to 1. */
  const progress = ref<Record<string, number>>({});
  const settlers = new Map<EntryKind, Settled>();
  const refusers = new Map<EntryKind, Settled>();
  const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("workspace.outbox");
  let failures = 0;
  let lastMade = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  if (tabs) tabs.onmessage = () => void restore();
  onReturn(() => void flush());

  /** What to do when the server has taken (or refused) a write of a kind. */
  function whenSettled(kind: EntryKind, settled: Settled, refused?: Settled): void {
    settlers.set(kind, settled);
    if (refused) refusers.set(kind, refused);
  }

  async function add(write: Write, id = newId()): Promise<Entry> {
    const entry = { ...write, id, personId: whoIsHere(), madeAt: nextMoment() };
    entries.value.push(entry);
    await hold(entry);
    void flush();
    return entry;
  }

  /** By the server's clock, as it is shown; no two writes are of the same moment, as they are sent in its order. */
  function nextMoment(): string {
    lastMade = Math.max(now(), lastMade + 1);
    return new Date(lastMade).toISOString();
  }

  /** A write that creates something carries its id, so that the server takes it once. */
  function addOwn(write: Write): Promise<Entry> {
    const id = newId();
    return add({ ...write, body: { ...write.body, client_id: id } }, id);
  }

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const before = new Set(entries.value.map((entry) => entry.id));
    const kept = (await allEntries()).map((entry) => ({ ...entry, personId: openedFor() }));
    if (!isStill()) return;
    const meanwhile = entries.value.filter((entry) => !before.has(entry.id) && !kept.some((other) => other.id === entry.id));
    entries.value = [...kept, ...meanwhile].sort((a, b) => a.madeAt.localeCompare(b.madeAt));
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    const isStill = thisStay();
    // Nobody waits for what the one before has still on its way.
    return withLock(`workspace.outbox.${whoIsHere()}`, () => sendAll(isStill));
  }

  async function sendAll(isStill: () => boolean): Promise<void> {
    await reconcile();
    // Each that went out, or was refused, waits no longer.
    for (let next = waiting.value[0]; next && isStill(); next = waiting.value[0]) {
      if (!(await sendOne(next, isStill))) return;
    }
    failures = 0;
  }

  /** Another tab may have sent what we still show as waiting. */
  async function reconcile(): Promise<void> {
    if (!navigator.locks || !entries.value.length) return;
    const isStill = thisStay();
    const kept = new Set((await allEntries()).map((entry) => entry.id));
    if (isStill() && kept.size) entries.value = entries.value.filter((entry) => kept.has(entry.id));
  }

  /** Says whether to go on with the next. What is answered after its person left goes out once more when they are back: the server takes it once. */
  async function sendOne(entry: Entry, isStill: () => boolean): Promise<boolean> {
    const whose = entry.personId;
    try {
      const body = entry.photos?.length ? { ...entry.body, attachments: await uploadPhotos(entry, entry.photos) } : entry.body;
      const answer = await call(entry.method, entry.path, entry.method === "POST" ? { body, whose } : { whose });
      if (!isStill()) return false;
      await remove(entry.id);
      for (const key of entry.photos ?? []) void dropPhoto(key);
      settlers.get(entry.kind)?.(entry, answer);
      return true;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 401 || !isStill()) return false;
      if (problem.isPassing) {
        retryLater(problem.retryAfterSeconds);
        return false;
      }
      await refuse(entry, problem.message, problem.code);
      return true;
    }
  }

  /** The ids of an entry's photos, each uploaded once; says how far it is. */
  async function uploadPhotos(entry: Entry, keys: string[]): Promise<string[]> {
    for (const [at, key] of keys.entries()) {
      if (entry.uploaded?.[key]) continue;
      const photo = await recallPhoto(key);
      if (!photo) throw new Problem({ status: 410, code: "photo_lost", detail: t("photos.gone") });
      const id = await upload(photo, key, (share) => (progress.value = { ...progress.value, [entry.id]: (at + share) / keys.length }), entry.personId);
      entry.uploaded = { ...entry.uploaded, [key]: id };
      await putEntry(entry);
    }
    return keys.map((key) => entry.uploaded?.[key] as string);
  }

  async function refuse(entry: Entry, refusal: string, code: string): Promise<void> {
    const refused = { ...entry, refusal, code };
    entries.value = entries.value.map((other) => (other.id === entry.id ? refused : other));
    await hold(refused);
    refusers.get(entry.kind)?.(refused, undefined);
  }

  function retryLater(seconds: number): void {
    const pause = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] as number;
    timer = setTimeout(() => void flush(), Math.max(pause, seconds * 1000));
  }

  async function retry(id: string): Promise<void> {
    entries.value = entries.value.map((entry) => (entry.id === id ? { ...entry, refusal: undefined, code: undefined, uploaded: undefined } : entry));
    const again = entries.value.find((entry) => entry.id === id);
    if (again) await hold(again);
    await flush();
  }

  /** Keep it as it is now; other tabs show it too. */
  async function hold(entry: Entry): Promise<void> {
    await putEntry(entry);
    tabs?.postMessage("changed");
  }

  async function remove(id: string): Promise<void> {
    entries.value = entries.value.filter((entry) => entry.id !== id);
    await dropEntry(id);
    tabs?.postMessage("changed");
  }

  function clear(): void {
    clearTimeout(timer);
    entries.value = [];
  }

  return { entries, waiting, progress, whenSettled, add, addOwn, restore, flush, retry, remove, clear };
});
