// Looking for words: posts and announcements page by page, a few colleagues beside them, and what was looked for lately.
import { computed, onScopeDispose, ref, watch } from "vue";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Page, Person, Post } from "@/api/shapes";
import { keep, recall } from "@/store/db";
import { useFeed } from "@/store/feed";
import { remembered } from "./rules";

const PAUSE_MS = 300;
const PEOPLE_MAX = 3;
const KEY = "searches";

export function useSearch(first: string) {
  const feed = useFeed();
  const words = ref(first);
  /** What the shown results are for. */
  const shownFor = ref("");
  const ids = ref<string[]>([]);
  const people = ref<Person[]>([]);
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoading = ref(false);
  const recent = ref<string[]>([]);
  const posts = computed(() => ids.value.map((id) => feed.posts[id]).filter((post) => post !== undefined));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  void recall<string[]>(KEY).then((kept) => (recent.value = kept ?? []));
  watch(words, (text) => {
    clearTimeout(timer);
    if (text.trim()) timer = setTimeout(() => void search(), PAUSE_MS);
    else forgetResults();
  }, { immediate: true });
  onScopeDispose(() => clearTimeout(timer));

  async function search(): Promise<void> {
    clearTimeout(timer);
    const text = words.value.trim();
    if (!text) return;
    const mine = ++turn;
    isLoading.value = true;
    try {
      const [page, found] = await Promise.all([read(text), get<Page<Person>>(`/directory/people?limit=${PEOPLE_MAX}&q=${encodeURIComponent(text)}`)]);
      if (mine !== turn) return;
      [ids.value, cursor.value, people.value] = [feed.adopt(page.items), page.next_cursor, found.items];
      [shownFor.value, problem.value] = [text, null];
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) isLoading.value = false;
    }
  }

  async function more(): Promise<void> {
    if (!cursor.value) return;
    try {
      const page = await read(shownFor.value, cursor.value);
      ids.value = [...ids.value, ...feed.adopt(page.items)];
      cursor.value = page.next_cursor;
    } catch (error) {
      problem.value = asProblem(error);
    }
  }

  /** What was looked for on purpose is offered again; only on this device. */
  function remember(): void {
    recent.value = remembered(recent.value, words.value);
    void keep(KEY, recent.value);
  }

  function forgetRecent(): void {
    recent.value = [];
    void keep(KEY, []);
  }

  function forgetResults(): void {
    turn++;
    [ids.value, people.value, cursor.value, shownFor.value, problem.value, isLoading.value] = [[], [], null, "", null, false];
  }

  const read = (text: string, from = ""): Promise<Page<Post>> =>
    get(`/search?limit=20&q=${encodeURIComponent(text)}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);

  return { words, shownFor, posts, people, cursor, problem, isLoading, recent, search, more, remember, forgetRecent };
}
