// One signed-in person's life in this tab: restore what is kept, fetch what is new, listen, and forget at the end.
import { watch } from "vue";
import { close, forget, openFor } from "./db";
import { useApprovals } from "./approvals";
import { useDocuments } from "./documents";
import { saveDrafts } from "./drafts";
import { useFeed } from "./feed";
import { useHome } from "./home";
import { useMe } from "./me";
import { useNotices } from "./notices";
import { useOutbox } from "./outbox";
import { usePackets } from "./packets";
import { call } from "@/api/call";
import { end, person } from "@/api/session";
import type { StreamEvent } from "@/api/shapes";
import { forgetPictures } from "@/feed/pictures";
import { Stream } from "@/api/stream";

type Hearer = (event: StreamEvent) => void;

let stream: Stream | null = null;
const screens = new Set<Hearer>();

/** A screen that is open hears events until it is left. */
export function onEvents(hear: Hearer): () => void {
  screens.add(hear);
  return () => screens.delete(hear);
}

/** Begin with whoever is signed in, and begin anew when that changes. */
export function followSignIn(): void {
  watch(person, (now, before) => void (now?.id === before?.id || change(now?.id)), { immediate: true });
}

async function change(personId: string | undefined): Promise<void> {
  leave();
  if (!personId) return;
  openFor(personId);
  const [me, home, feed, packets, outbox, notices] = stores();
  await Promise.all([me.restore(), home.restore(), feed.restore(), packets.restore(), outbox.restore(), notices.restore()]);
  if (person.value?.id !== personId) return;
  stream = new Stream({ hear, resync });
  void me.refresh().then(() => (useApprovals().mayDecide() ? useApprovals().refresh() : undefined), () => undefined);
  void feed.refresh();
  void notices.refresh();
  void outbox.flush();
}

/** Sign out: the server ends the sign-in, and this browser forgets the person. */
export async function signOut(): Promise<void> {
  const personId = person.value?.id;
  await call("DELETE", "/sessions/current", { keepalive: true }).catch(() => undefined);
  end("");
  leave();
  if (personId) await forget(personId);
}

function hear(event: StreamEvent): void {
  const [me, home, feed, packets] = stores();
  if (event.kind === "people.access_changed") void Promise.all([me.refresh(), home.refresh(), feed.refresh()]).catch(() => undefined);
  home.hear(event);
  feed.hear(event);
  packets.hear(event);
  useNotices().hear(event);
  useApprovals().hear(event);
  useDocuments().hear(event);
  screens.forEach((screen) => screen(event));
}

async function resync(): Promise<void> {
  const [me, home, feed, packets] = stores();
  const rereads = [me.refresh().catch(() => undefined), home.refresh(), feed.refresh(), useNotices().refresh()];
  if (useApprovals().isLoaded) rereads.push(useApprovals().refresh());
  if (useDocuments().isLoaded) rereads.push(useDocuments().refresh());
  if (packets.wallet) rereads.push(packets.refresh());
  await Promise.all(rereads);
}

function leave(): void {
  stream?.stop();
  stream = null;
  saveDrafts();
  close();
  forgetPictures();
  stores().forEach((store) => store.clear());
}

function stores() {
  return [useMe(), useHome(), useFeed(), usePackets(), useOutbox(), useNotices(), useApprovals(), useDocuments()] as const;
}
