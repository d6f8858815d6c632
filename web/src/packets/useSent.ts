// The list of packets I sent or oversee, read anew when the stream says that one of them moved.
import { computed, ref, watch } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { ListedPacket, Page } from "@/api/shapes";
import { useMe } from "@/store/me";
import { onEvents } from "@/store/presence";

const PAUSE_MS = 500;

export function useSent() {
  const items = ref<ListedPacket[]>([]);
  const cursor = ref<string | null>(null);
  const me = useMe();
  const maySend = computed(() => me.may("redpackets.send"));
  /** Who may not send looks after what others send. */
  const whose = ref<"mine" | "all">(maySend.value ? "mine" : "all");
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
    }, load);

  return { items, cursor, whose, maySend, problem, isLoaded, load, more, listen };
}
