// Tracked items that were on the screen are noted as seen: together, after a moment, and only once.
import { type ComponentPublicInstance, onScopeDispose } from "vue";
import { isTracked } from "./rules";
import { call } from "@/api/call";
import { whoIsHere } from "@/api/session";
import type { Post } from "@/api/shapes";
import { useMe } from "@/store/me";

const PAUSE_MS = 1_000;
const BATCH_MAX = 100;

export function useSeen() {
  const me = useMe();
  /** A screen may be left because its person has: it was they who saw. */
  const whose = whoIsHere();
  const told = new Set<string>();
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const onScreen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const id = (entry.target as HTMLElement).dataset.post;
        if (entry.isIntersecting && id && !told.has(id)) waiting.add(id);
      }
      clearTimeout(timer);
      if (waiting.size) timer = setTimeout(() => void tell(), PAUSE_MS);
    },
    { threshold: 0.4 },
  );

  async function tell(): Promise<void> {
    const batch = [...waiting].slice(0, BATCH_MAX);
    batch.forEach((id) => (waiting.delete(id), told.add(id)));
    await call("POST", "/posts/seen", { body: { post_ids: batch }, whose }).catch(() => batch.forEach((id) => told.delete(id)));
  }

  const watchSeen = (post: Post) => (shown: Element | ComponentPublicInstance | null) => {
    const element = (shown as ComponentPublicInstance | null)?.$el as Element | undefined;
    if (element instanceof Element && isTracked(post) && post.author.id !== me.id && !told.has(post.id)) onScreen.observe(element);
  };

  onScopeDispose(() => {
    clearTimeout(timer);
    onScreen.disconnect();
    if (waiting.size) void tell();
  });
  return { watchSeen };
}
