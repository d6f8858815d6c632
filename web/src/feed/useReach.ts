// A reach report, read again when the stream says that the item got further.
import { onScopeDispose, ref } from "vue";
import { t } from "@/app/i18n";
import { get, post } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Missing, Page, Reach } from "@/api/shapes";
import { onEvents } from "@/store/presence";

export function useReach(postId: string) {
  const report = ref<Reach | null>(null);
  const missing = ref<Missing[]>([]);
  const cursor = ref<string | null>(null);
  const unit = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isNudging = ref(false);

  const place = (more = ""): string => new URLSearchParams({ ...(unit.value ? { unit: unit.value } : {}), ...(more ? { cursor: more } : {}) }).toString();

  let asked = 0;

  async function load(): Promise<void> {
    const mine = ++asked;
    try {
      const [reach, page] = await Promise.all([
        get<Reach>(`/posts/${postId}/reach?${place()}`),
        get<Page<Missing>>(`/posts/${postId}/reach/missing?limit=50&${place()}`),
      ]);
      // Two readings may overtake each other; the one asked for last is the newest.
      if (mine !== asked) return;
      [report.value, missing.value, cursor.value, problem.value] = [reach, page.items, page.next_cursor, null];
    } catch (error) {
      if (mine !== asked) return;
      problem.value = asProblem(error);
      if (problem.value.isForbidden) report.value = null;
    }
  }

  async function open(id: string | null): Promise<void> {
    unit.value = id;
    await load();
  }

  async function moreMissing(): Promise<void> {
    const page = await get<Page<Missing>>(`/posts/${postId}/reach/missing?limit=50&${place(cursor.value ?? "")}`);
    missing.value = [...missing.value, ...page.items];
    cursor.value = page.next_cursor;
  }

  /** Remind those who have not responded; says what came of it. */
  async function nudge(): Promise<string> {
    isNudging.value = true;
    try {
      const { count } = await post<{ count: number }>(`/posts/${postId}/nudges`);
      return t("reach.nudged", { n: count });
    } catch (error) {
      return asProblem(error).message;
    } finally {
      isNudging.value = false;
    }
  }

  onScopeDispose(
    onEvents((event) => {
      if (event.kind === "feeds.reach_changed" && (event.data.post_id ?? event.ref) === postId) void load();
    }, load),
  );
  return { report, missing, cursor, unit, problem, isNudging, load, open, moreMissing, nudge };
}
