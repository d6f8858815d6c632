// The list of packets I sent or oversee, read anew when the stream says that one of them moved.
import { ref, watch } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { ListedPacket, Page } from "@/api/shapes";
import { onEvents } from "@/store/presence";

const PAUSE_MS = 500;

export function useSent() {
  const items = ref<ListedPacket[]>([]);
  const cursor = ref<string | null>(null);
  const whose = ref<"mine" | "all">("mine");
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    const asked = whose.value;
    try {
      const page = await read(null);
      if (asked !== whose.value) return;
      [items.value, cursor.value, isLoaded.value, problem.value] = [page.items, page.next_cursor, true, null];
    } catch (error) {
      problem.value = asProblem(error);
    }
  }

  async function more(): Promise<void> {
    const page = await read(cursor.value);
    items.value = [...items.value, ...page.items];
    cursor.value = page.next_cursor;
  }

  const read = (from: string | null): Promise<Page<ListedPacket>> =>
    get(`/red-packets?limit=20${whose.value === "mine" ? "&mine=true" : ""}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);

  watch(whose, () => {
    isLoaded.value = false;
    void load();
  });

  const listen = (): (() => void) =>
    onEvents((event) => {
      if (!["redpackets.packet_changed", "redpackets.approval_decided"].includes(event.kind)) return;
      clearTimeout(timer);
      timer = setTimeout(() => void load(), PAUSE_MS);
    });

  return { items, cursor, whose, problem, isLoaded, load, more, listen };
}
