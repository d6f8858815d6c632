// What this browser keeps for one person: the last state of every screen, drafts, and writes that have not gone out.
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import type { Entry } from "./outbox";

interface Shelves extends DBSchema {
  kept: { key: string; value: unknown };
  drafts: { key: string; value: unknown };
  outbox: { key: string; value: Entry };
  photos: { key: string; value: Blob };
}

const VERSION = 2;

let opened: { personId: string; base: Promise<IDBPDatabase<Shelves>> } | null = null;

const nameOf = (personId: string): string => `workspace-${personId}`;

/** Whose shelves are open. */
export const openedFor = (): string => opened?.personId ?? "";

/** From now on keep things for this person, apart from everybody else's. */
export function openFor(personId: string): void {
  if (opened?.personId === personId) return;
  close();
  const base = openDB<Shelves>(nameOf(personId), VERSION, {
    upgrade(made, before) {
      if (before < 1) {
        made.createObjectStore("kept");
        made.createObjectStore("drafts");
        made.createObjectStore("outbox", { keyPath: "id" });
      }
      made.createObjectStore("photos");
    },
    blocking: () => opened?.base === base && close(),
  });
  opened = { personId, base };
}

export function close(): void {
  void opened?.base.then((base) => base.close()).catch(() => undefined);
  opened = null;
}

/** Forget a person who has signed out. */
export async function forget(personId: string): Promise<void> {
  if (opened?.personId === personId) close();
  await deleteDB(nameOf(personId)).catch(() => undefined);
}

/** Keep a plain copy; a full disk or a private window costs the copy, never the screen. */
export async function keep(key: string, value: unknown): Promise<void> {
  await attempt((base) => base.put("kept", plain(value), key));
}

/** Keep a plain copy as one of so many of its kind, of which the oldest give way; `kind` alone is the key of their order. */
export const keepAmong = (kind: string, key: string, value: unknown, most: number): Promise<unknown> =>
  attempt(async (base) => {
    const copy = plain(value);
    const shelf = base.transaction("kept", "readwrite").store;
    await shelf.put(copy, kind + key);
    const before = ((await shelf.get(kind)) as string[] | undefined) ?? (await shelf.getAllKeys(ofKind(kind))).map((kept) => kept.slice(kind.length));
    const order = [...before.filter((kept) => kept !== key), key];
    for (const gone of order.splice(0, Math.max(0, order.length - most))) await shelf.delete(kind + gone);
    await shelf.put(order, kind);
  });

export const recall = <Value>(key: string): Promise<Value | undefined> =>
  attempt((base) => base.get("kept", key)) as Promise<Value | undefined>;

/** All that is kept by keys that begin so. */
export const dropKept = (beginning: string): Promise<unknown> =>
  attempt((base) => base.delete("kept", ofKind(beginning)));

const ofKind = (beginning: string): IDBKeyRange => IDBKeyRange.bound(beginning, `${beginning}\uffff`);

export const keepDraft = (key: string, value: unknown): Promise<unknown> =>
  attempt((base) => base.put("drafts", plain(value), key));

export const recallDraft = <Value>(key: string): Promise<Value | undefined> =>
  attempt((base) => base.get("drafts", key)) as Promise<Value | undefined>;

export const dropDraft = (key: string): Promise<unknown> => attempt((base) => base.delete("drafts", key));

/** Says whether there was room for it. */
export const keepPhoto = async (key: string, photo: Blob): Promise<boolean> => (await attempt((base) => base.put("photos", photo, key))) !== undefined;
export const recallPhoto = (key: string): Promise<Blob | undefined> => attempt((base) => base.get("photos", key)) as Promise<Blob | undefined>;
export const dropPhoto = (key: string): Promise<unknown> => attempt((base) => base.delete("photos", key));

// A write is kept only with who made it: an answer that comes late finds another's shelves open, or none.
export const putEntry = async (entry: Entry): Promise<unknown> => (openedFor() === entry.personId ? attempt((base) => base.put("outbox", plain(entry))) : undefined);
export const dropEntry = (id: string): Promise<unknown> => attempt((base) => base.delete("outbox", id));
export const allEntries = async (): Promise<Entry[]> => (await attempt((base) => base.getAll("outbox"))) ?? [];

async function attempt<Result>(work: (base: IDBPDatabase<Shelves>) => Promise<Result>): Promise<Result | undefined> {
  if (!opened) return undefined;
  try {
    return await work(await opened.base);
  } catch {
    return undefined;
  }
}

const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
