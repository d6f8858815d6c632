// The talk below an item: pages from the server, new comments from the stream, mine at once.
import { computed, onScopeDispose, ref } from "vue";
import { marked, type Mentions, unmarked } from "./mentions";
import { get } from "@/api/call";
import { asProblem, type Problem } from "@/api/problem";
import type { Comment, Page, Person } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { type Entry, useOutbox } from "@/store/outbox";
import { onEvents } from "@/store/presence";

export function useComments(postId: string) {
  const outbox = useOutbox();
  const path = `/posts/${postId}/comments`;
  /** Read page by page from the first on, and what came while pages are missing in between. */
  const paged = ref<Comment[]>([]);
  const later = ref<Comment[]>([]);
  const comments = computed(() => [...paged.value, ...later.value]);
  const cursor = ref<string | null>(null);
  const problem = ref<Problem | null>(null);
  const isLoaded = ref(false);
  const { draft, discard } = useDraft(`comment:${postId}`, () => ({ body: "", mentions: {} as Mentions }));
  const sending = computed(() =>
    outbox.entries.filter((entry) => entry.kind === "comment" && entry.path === path && !comments.value.some((comment) => comment.client_id === entry.id)),
  );

  async function load(more = false): Promise<void> {
    const next = more && cursor.value ? `&cursor=${encodeURIComponent(cursor.value)}` : "";
    try {
      const page = await get<Page<Comment>>(`${path}?limit=50${next}`);
      const known = comments.value;
      [cursor.value, problem.value, isLoaded.value] = [page.next_cursor, null, true];
      [paged.value, later.value] = [merged(next ? paged.value : [], page.items), []];
      known.filter((comment) => comment.seq > lastIn(page.items)).forEach(take);
    } catch (error) {
      problem.value = asProblem(error);
    }
  }

  function take(comment: Comment): void {
    const isPaged = !cursor.value || comment.seq <= lastIn(paged.value);
    if (isPaged) paged.value = merged(paged.value, [comment]);
    else later.value = merged(later.value, [comment]);
  }

  async function send(): Promise<void> {
    await outbox.addOwn({ kind: "comment", method: "POST", path, body: { body: marked(draft.body.trim(), draft.mentions) } });
    await discard();
  }

  /** Back into the field, unless another one is being written there. */
  async function edit(entry: Entry): Promise<void> {
    if (draft.body.trim()) return;
    Object.assign(draft, unmarked(String(entry.body.body)));
    await outbox.remove(entry.id);
  }

  onScopeDispose(
    onEvents((event) => {
      if (event.kind !== "feeds.comment_added" || event.data.post_id !== postId) return;
      const comment = event.data.comment as Comment | null;
      if (!comment) void load();
      else take(comment);
    }, load),
  );
  outbox.whenSettled("comment", (entry, answer) => {
    if (entry.path === path) take(answer as Comment);
  });
  const findReaders = (words: string): Promise<Page<Person>> => get(`/posts/${postId}/readers?q=${encodeURIComponent(words)}`);
  return { findReaders, comments, paged, later, sending, cursor, problem, isLoaded, draft, load, send, edit };
}

const lastIn = (comments: Comment[]): number => comments.at(-1)?.seq ?? 0;

function merged(known: Comment[], more: Comment[]): Comment[] {
  const ids = new Set(known.map((comment) => comment.id));
  return [...known, ...more.filter((comment) => !ids.has(comment.id))].sort((a, b) => a.seq - b.seq);
}
