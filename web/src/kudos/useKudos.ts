// Thanking colleagues: whom, how much to each and with which words stand in a draft with its Idempotency-Key, so that it
// is given once.
import { computed, ref } from "vue";
import { useAllowances } from "./allowances";
import { get } from "@/api/call";
import type { Problem } from "@/api/problem";
import type { Colleague, Packet } from "@/api/shapes";
import { money } from "@/app/format";
import { t } from "@/app/i18n";
import { toMinor } from "@/packets/rules";
import { useDraft } from "@/store/drafts";
import { usePackets } from "@/store/packets";
import { type Paid, unpaid, usePaying } from "@/store/paying";

export const RECEIVERS_MAX = 10;

export type Receiver = { id: string; name: string };
type Draft = Paid & { receivers: Receiver[]; unit: string; amount: string; text: string; value: string };

const RECEIVER = /^receivers\.(\d+)$/;

export function useKudos() {
  const packets = usePackets();
  const { allowances, isLoaded, problem: unread, load } = useAllowances();
  const { draft, isRestored, discard } = useDraft<Draft>("kudos", () => ({ receivers: [], unit: "", amount: "", text: "", value: "", ...unpaid() }));
  const { problem, isSending, isUncertain, gone, ask, another } = usePaying<Packet>("/kudos", draft);
  const refusal = ref("");
  const allowance = computed(() => allowances.value.find((one) => one.unit === draft.unit) ?? allowances.value[0]);
  const unit = computed(() => allowance.value?.unit ?? "POINT");
  const eachMinor = computed(() => toMinor(draft.amount, unit.value) || null);
  const totalMinor = computed(() => (eachMinor.value ?? 0) * draft.receivers.length);
  const isOver = computed(() => allowance.value !== undefined && totalMinor.value > allowance.value.available_minor);
  /** What was asked for already is asked for again whatever is left now: it may be what took it. */
  const canGive = computed(() => Boolean(allowance.value && eachMinor.value && draft.receivers.length && draft.text.trim()) && (isUncertain.value || !isOver.value) && !isSending.value);

  async function give(): Promise<Packet | null> {
    if (!canGive.value) return null;
    refusal.value = "";
    const packet = await ask(body());
    if (!packet) {
      if (problem.value) refusal.value = refusalOf(problem.value);
      void load();
      return null;
    }
    packets.put(packet);
    await discard();
    return packet;
  }

  const body = (): object => ({
    receivers: draft.receivers.map((one) => one.id),
    amount_minor: eachMinor.value,
    unit: unit.value,
    text: draft.text.trim(),
    value: draft.value.trim(),
  });

  /** Why nothing was given: to whom it cannot be by name, what is lacking in numbers. */
  function refusalOf(why: Problem): string {
    const said = (name: string): string => money(Number(why.body[name] ?? 0), unit.value);
    if (why.code === "redpackets.insufficient_budget") return t("kudos.short", { requested: said("requested"), available: said("available") });
    const refused = Object.entries(why.errors).map(([field, { text }]) => {
      const name = draft.receivers[Number(RECEIVER.exec(field)?.[1] ?? -1)]?.name;
      return name ? t("kudos.receiver", { name, why: text }) : text;
    });
    return refused.join(" · ") || why.message;
  }

  function toggle(person: Receiver): void {
    const others = draft.receivers.filter((one) => one.id !== person.id);
    if (others.length < draft.receivers.length) draft.receivers = others;
    else if (others.length < RECEIVERS_MAX) draft.receivers = [...others, { id: person.id, name: person.name }];
  }

  /** Whoever came from a colleague's page wants to thank them, beside whom they had chosen before. */
  async function begin(personId: string): Promise<void> {
    await Promise.all([load(), isRestored]);
    if (!personId || draft.tried.length || draft.receivers.some((one) => one.id === personId)) return;
    const found = await get<Colleague>(`/directory/people/${personId}`).catch(() => null);
    if (found) toggle(found);
  }

  return { draft, allowances, allowance, unit, eachMinor, totalMinor, isOver, canGive, isLoaded, unread, problem, refusal, isSending, isUncertain, gone, load, begin, give, toggle, another };
}
