// The state of what is being written, and how it goes on its way.
import { computed, watch } from "vue";
import { BODY_LENGTH_MAX } from "./rules";
import { marked, type Mentions } from "./mentions";
import type { Photo } from "./photos";
import { post } from "@/api/call";
import type { AudiencePick, Page, Person } from "@/api/shapes";
import { useDraft } from "@/store/drafts";
import { useMe } from "@/store/me";
import { useOutbox } from "@/store/outbox";

type Draft = { type: "post" | "announcement"; body: string; audience: AudiencePick[]; response: "acknowledge" | "answer" | "seen"; mentions: Mentions; photos: Photo[] };

export function useCompose(type: Draft["type"], personId = "", again = "") {
  const me = useMe();
  const outbox = useOutbox();
  // What is written to one person, or again, is a draft of its own: it never changes another one.
  const key = ["compose", personId || again].filter(Boolean).join(":");
  const empty = (): Draft => ({ type, body: "", audience: [], response: "acknowledge", mentions: {}, photos: [] });
  const { draft, isRestored, discard } = useDraft<Draft>(key, empty);

  const whole = computed(() => marked(draft.body, draft.mentions));
  const isTooLong = computed(() => whole.value.length > BODY_LENGTH_MAX);
  const canSend = computed(() => (draft.body.trim() !== "" || draft.photos.length > 0) && draft.audience.length > 0 && !isTooLong.value);

  void isRestored.then(() => {
    if (type === "announcement") draft.type = type;
    if (personId) draft.audience = [{ kind: "person", id: personId }];
    watch(() => me.homeUnit, (unit) => unit && !draft.audience.length && address(unit.id), { immediate: true });
  });

  function address(unitId: string): void {
    draft.audience = [{ kind: "unit", id: unitId, include_below: true }];
  }

  async function send(): Promise<void> {
    const body = {
      type: draft.type,
      body: whole.value,
      audience: { scopes: draft.audience },
      response: draft.type === "announcement" ? draft.response : null,
    };
    const entry = { kind: "post" as const, method: "POST", path: "/posts", body, photos: draft.photos.map((photo) => photo.key) };
    await outbox.addOwn(entry);
    if (again) await outbox.remove(again);
    await discard();
  }

  /** Only those whom it is for can be mentioned. */
  const findReaders = (words: string): Promise<Page<Person>> => post("/directory/audience-people", { scopes: draft.audience, q: words });

  return { draft, canSend, isTooLong, findReaders, send };
}
