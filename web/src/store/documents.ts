// The ERP's documents that wait for my decision: kept for when there is no network, moved by the stream.
import { defineStore } from "pinia";
import { ref } from "vue";
import { keep, recall } from "./db";
import { thisStay } from "./stay";
import { get, pay } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem, type Problem } from "@/api/problem";
import type { ErpApproval, ErpApprovalDetail, ErpDecision, Page, StreamEvent } from "@/api/shapes";

export const DOCUMENT_ENDS = ["pending", "done"] as const;
export type DocumentEnd = (typeof DOCUMENT_ENDS)[number];
export type Verdict = { decision: "approve" | "reject"; reason: string; version: string };

const KEY = "documents";
const KEYS = "decisions";
const KEYS_MAX = 100;
/** Several events of one decision come at once: they are one reason to read. */
const PAUSE_MS = 150;

export const useDocuments = defineStore("documents", () => {
  const shown = ref<ErpApproval[]>([]);
  const end = ref<DocumentEnd>("pending");
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  const details = ref<Record<string, ErpApprovalDetail>>({});
  const keys = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const kept = await recall<ErpApproval[]>(KEY);
    if (isStill() && kept && !isLoaded.value) [shown.value, isLoaded.value] = [kept, true];
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    try {
      const page = await list(end.value);
      if (!isStill()) return;
      [shown.value, cursor.value, problem.value, isLoaded.value] = [page.items, page.next_cursor, null, true];
      if (end.value === "pending") void keep(KEY, page.items);
    } catch (error) {
      if (isStill()) problem.value = asProblem(error);
    }
  }

  async function show(other: DocumentEnd): Promise<void> {
    if (other !== end.value) [end.value, shown.value, cursor.value, isLoaded.value] = [other, [], null, false];
    if (other === "pending" && !isLoaded.value) await restore();
    await refresh();
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    const isStill = thisStay();
    const page = await list(end.value, cursor.value);
    if (!isStill()) return;
    [shown.value, cursor.value] = [[...shown.value, ...page.items], page.next_cursor];
  }

  async function read(id: string): Promise<ErpApprovalDetail> {
    const isStill = thisStay();
    const found = await get<ErpApprovalDetail>(`/approvals/${id}`);
    if (isStill()) details.value = { ...details.value, [id]: found };
    return found;
  }

  /** One key for one intention: when the answer is lost, deciding the same again is the same decision. */
  async function decide(id: string, verdict: Verdict): Promise<void> {
    const isStill = thisStay();
    const intention = JSON.stringify([id, verdict]);
    const key = await keyOf(intention);
    try {
      await pay<ErpDecision>(`/approvals/${id}/decision`, verdict, key);
      if (isStill()) await dropKey(intention);
    } catch (error) {
      if (isStill() && asProblem(error).isRefusal) await dropKey(intention);
      throw error;
    } finally {
      if (isStill()) await read(id).catch(() => undefined);
    }
  }

  /** Kept before it is used, so that it is the same one after a reload. */
  async function keyOf(intention: string): Promise<string> {
    const isStill = thisStay();
    const kept = (await recall<Record<string, string>>(KEYS)) ?? {};
    const key = keys.get(intention) ?? kept[intention] ?? newId();
    if (!isStill()) return key;
    keys.set(intention, key);
    await keep(KEYS, Object.fromEntries(Object.entries({ ...kept, [intention]: key }).slice(-KEYS_MAX)));
    return key;
  }

  async function dropKey(intention: string): Promise<void> {
    keys.delete(intention);
    const { [intention]: _used, ...kept } = (await recall<Record<string, string>>(KEYS)) ?? {};
    await keep(KEYS, kept);
  }

  function hear(event: StreamEvent): void {
    if (!event.kind.startsWith("erp_bridge.approval_") && event.kind !== "erp_bridge.decision_moved") return;
    const id = event.ref ?? "";
    if (details.value[id]) void read(id).catch(() => undefined);
    clearTimeout(timer);
    if (isLoaded.value) timer = setTimeout(() => void refresh(), PAUSE_MS);
  }

  function clear(): void {
    clearTimeout(timer);
    keys.clear();
    [shown.value, end.value, cursor.value, problem.value, isLoaded.value, details.value] = [[], "pending", null, null, false, {}];
  }

  const list = (state: DocumentEnd, from = ""): Promise<Page<ErpApproval>> =>
    get(`/approvals?limit=20&state=${state}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);

  return { shown, end, cursor, problem, isLoaded, details, restore, refresh, show, more, read, decide, hear, clear };
});
