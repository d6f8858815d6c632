// What a screen shows of the server: kept for when there is no network, read anew when the stream says that it changed.
import { onScopeDispose, type Ref, ref, shallowRef } from "vue";
import { onEvents } from "./presence";
import { keepSeen, recallSeen } from "./seen";
import { thisStay } from "./stay";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Page, StreamEvent } from "@/api/shapes";
import { onReturn } from "@/app/network";

/** Several events of one deed come at once: they are one reason to read. */
const PAUSE_MS = 250;
const PAGE = 20;
const PAGE_MAX = 100;

type IsAbout = (event: StreamEvent) => boolean;

/** One thing, by its path. */
export function useReading<Answer>(path: string, isAbout: IsAbout) {
  const found = shallowRef<Answer | null>(null);
  const { problem, load, overtake } = useRound(path, () => get<Answer>(path), (answer) => (found.value = answer), () => (found.value = null), isAbout);

  /** As the server has just answered to what was done here. */
  function put(answer: Answer): void {
    const isReading = overtake();
    found.value = answer;
    void keepSeen(path, answer);
    // Which of the two is the newer, nobody knows.
    if (isReading) void load();
  }

  return { found, problem, load, put };
}

/** A list by its path, a page at a time, kept as far as it is shown; `answer` has what the newest page says beside its items. */
export function useListing<Item, Whole extends Page<Item> = Page<Item>>(path: string, isAbout: IsAbout, page = PAGE) {
  const items = shallowRef<Item[]>([]);
  const answer = shallowRef<Whole | null>(null);
  const cursor = ref<string | null>(null);
  const isLoaded = ref(false);
  const asked = (limit: number, from = ""): Promise<Whole> =>
    get(`${path}${path.includes("?") ? "&" : "?"}limit=${limit}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);
  /** As many as are on the screen, which stay there meanwhile. */
  const again = (): Promise<Whole> => asked(Math.min(Math.max(items.value.length, page), PAGE_MAX));
  const { problem, load, turn, settled } = useRound(path, again, take, drop, isAbout);

  function take(read: Whole): void {
    [items.value, cursor.value, isLoaded.value, answer.value] = [read.items, read.next_cursor, true, read];
  }

  function drop(): void {
    [items.value, cursor.value, isLoaded.value, answer.value] = [[], null, false, null];
  }

  async function more(): Promise<void> {
    await settled();
    if (!cursor.value) return;
    const isNewest = turn();
    try {
      const next = await asked(page, cursor.value);
      if (isNewest()) take({ ...next, items: [...items.value, ...next.items] });
    } catch (error) {
      if (isNewest()) problem.value = asProblem(error);
    }
  }

  return { items, answer, cursor, isLoaded, problem, load, more };
}

function useRound<Answer>(path: string, read: () => Promise<Answer>, take: (answer: Answer) => void, drop: () => void, isAbout: IsAbout) {
  const problem: Ref<Problem | null> = ref(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest = 0;
  let hasAny = false;
  let running: Promise<void> | null = null;

  /** Two readings may overtake each other; the one asked for later is the newer. */
  function turn(): () => boolean {
    const [mine, isStill] = [++latest, thisStay()];
    return () => mine === latest && isStill();
  }

  /** What is being read now is not shown any more; says whether there is such a reading. */
  function overtake(): boolean {
    turn();
    return running !== null;
  }

  /** Over when the newest reading is. */
  async function settled(): Promise<void> {
    while (running) await running;
  }

  async function load(): Promise<void> {
    const reading = readOnce();
    running = reading;
    await reading.finally(() => {
      if (running === reading) running = null;
    });
  }

  async function readOnce(): Promise<void> {
    const isNewest = turn();
    try {
      const answer = await read();
      if (!isNewest()) return;
      [hasAny, problem.value] = [true, null];
      take(answer);
      void keepSeen(path, answer);
    } catch (error) {
      if (isNewest()) await fallBack(asProblem(error), isNewest);
    }
  }

  async function fallBack(why: Problem, isNewest: () => boolean): Promise<void> {
    const kept = why.isOffline && !hasAny ? await recallSeen<Answer>(path) : null;
    if (!isNewest()) return;
    problem.value = why;
    if (why.isForbidden) forget();
    if (!kept) return;
    hasAny = true;
    take(kept);
  }

  /** What is mine to see no more is neither shown nor kept. */
  function forget(): void {
    hasAny = false;
    drop();
    void keepSeen(path, null);
  }

  function hear(event: StreamEvent): void {
    if (event.kind !== "people.access_changed" && !isAbout(event)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void load(), PAUSE_MS);
  }

  const overs = [onEvents(hear, load), onReturn(() => problem.value && void load())];
  onScopeDispose(() => {
    overs.forEach((over) => over());
    clearTimeout(timer);
  });
  return { problem, load, turn, overtake, settled };
}
