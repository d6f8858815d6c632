// What is being written, kept as it is typed: it outlives a reload, a new version and a sign-in that ended.
import { onScopeDispose, type Reactive, reactive, type Ref, ref, watch } from "vue";
import { dropDraft, keepDraft, recallDraft } from "./db";
import { thisStay } from "./stay";

const PAUSE_MS = 200;
const beingWritten = new Set<() => void>();

export const answerKey = (postId: string): string => `answer:${postId}`;

/** Keep what was typed in this moment, before the shelves of this person are closed. */
export const saveDrafts = (): void => beingWritten.forEach((save) => save());

export function useDraft<Draft extends object>(key: string, empty: () => Draft): {
  draft: Reactive<Draft>;
  isRestored: Promise<boolean>;
  isReady: Ref<boolean>;
  discard: () => Promise<void>;
} {
  const draft = reactive(empty());
  const isReady = ref(false);
  const isStill = thisStay();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDirty = false;
  const save = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (isDirty && isStill()) void keepDraft(key, draft);
    isDirty = false;
  };
  beingWritten.add(save);
  const isRestored = recallDraft<Draft>(key).then((kept) => {
    if (kept && isStill() && !isDirty) Object.assign(draft, kept);
    isReady.value = true;
    return kept !== undefined;
  });
  watch(
    draft,
    () => {
      isDirty = true;
      // Not put off by the next key: who types without a pause is kept up with too.
      timer ??= setTimeout(save, PAUSE_MS);
    },
    { deep: true, flush: "sync" },
  );
  if (typeof addEventListener === "function") addEventListener("pagehide", save);
  onScopeDispose(() => {
    save();
    beingWritten.delete(save);
    removeEventListener("pagehide", save);
  });
  const discard = async (): Promise<void> => {
    Object.assign(draft, empty());
    clearTimeout(timer);
    timer = undefined;
    isDirty = false;
    if (isStill()) await dropDraft(key);
  };
  return { draft, isRestored, isReady, discard };
}
