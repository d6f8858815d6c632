// One payment, however often it is asked for: its Idempotency-Key, and what may have been carried out under it, stay with its draft.
import { computed, type Reactive, ref, toRaw } from "vue";
import { saveDrafts } from "./drafts";
import { thisStay } from "./stay";
import { pay } from "@/api/call";
import { newId } from "@/api/ids";
import { asProblem, type Problem } from "@/api/problem";

const TRIED_MAX = 10;

/** What a draft keeps of its payment: the key, and the bodies that were asked for under it. */
export type Paid = { key: string; tried: object[] };

const isAs = (wanted: object) => (one: object): boolean => JSON.stringify(one) === JSON.stringify(wanted);

export const unpaid = (): Paid => ({ key: newId(), tried: [] });

export function usePaying<Answer>(path: string, draft: Reactive<Paid>) {
  const problem = ref<Problem | null>(null);
  const isSending = ref(false);
  /** What an earlier attempt made, where this one asks for something else. */
  const gone = ref<Answer | "unknown" | null>(null);
  const isUncertain = computed(() => draft.tried.length > 0 && !isSending.value && !gone.value);

  async function ask(wanted: object): Promise<Answer | null> {
    if (isSending.value) return null;
    const isStill = thisStay();
    [isSending.value, problem.value] = [true, null];
    note(wanted);
    try {
      const answer = await pay<Answer>(path, wanted, draft.key);
      return isStill() ? answer : null;
    } catch (error) {
      if (isStill()) await failed(asProblem(error), wanted);
      return null;
    } finally {
      isSending.value = false;
    }
  }

  /** Kept before it goes out: after a reload too we know what may have been carried out. */
  function note(wanted: object): void {
    if (!draft.tried.some(isAs(wanted))) draft.tried = [...draft.tried, JSON.parse(JSON.stringify(wanted))].slice(-TRIED_MAX);
    saveDrafts();
  }

  async function failed(why: Problem, wanted: object): Promise<void> {
    if (why.isKeyReused) gone.value = await findGone();
    else problem.value = why;
    if (why.isRefusal) strike(wanted);
  }

  /** Nothing came of what was refused; what else was asked for under this key may still be carried out. */
  function strike(refused: object): void {
    const isRefused = isAs(refused);
    draft.tried = draft.tried.filter((one) => !isRefused(one));
    if (draft.tried.length) saveDrafts();
    else another();
  }

  /** The server has carried out one of our attempts under this key, and repeats its answer to the same words. */
  async function findGone(): Promise<Answer | "unknown"> {
    for (const one of [...toRaw(draft).tried].reverse()) {
      const answer = await pay<Answer>(path, one, draft.key).catch(() => null);
      if (answer) return answer;
    }
    return "unknown";
  }

  /** Another one is another payment: it goes out under a key of its own. */
  function another(): void {
    [draft.key, draft.tried, gone.value] = [newId(), [], null];
    saveDrafts();
  }

  return { problem, isSending, gone, isUncertain, ask, another };
}
