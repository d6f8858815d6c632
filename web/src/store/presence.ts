// One signed-in person's life in this tab: restore what is kept, fetch what is new, listen, and forget at the end.
import { watch } from "vue";
import { close, forget, openFor } from "./db";
import { useApprovals } from "./approvals";
import { useDeciding } from "./deciding";
import { useDocuments } from "./documents";
import { saveDrafts } from "./drafts";
import { useFeed } from "./feed";
import { useHome } from "./home";
import { useMe } from "./me";
import { useNotices } from "./notices";
import { useOutbox } from "./outbox";
import { usePackets } from "./packets";
import { forgetSeen } from "./seen";
import { endStay } from "./stay";
import { call } from "@/api/call";
import { end, person } from "@/api/session";
import type { StreamEvent } from "@/api/shapes";
import { forgetPictures } from "@/feed/pictures";
import { Stream } from "@/api/stream";
import { whenIdle } from "@/app/idle";
import { onReturn } from "@/app/network";

type Hearer = (event: StreamEvent) => void;
type Reread = () => unknown;

let stream: Stream | null = null;
const screens = new Map<Hearer, Reread>();

/** A screen that is open hears events until it is left, and reads anew what may have been missed. */
export function onEvents(hear: Hearer, reread: Reread): () => void {
  screens.set(hear, reread);
  return () => screens.delete(hear);
}

/** Begin with whoever is signed in, and begin anew when that changes; over when the first has begun. */
export function followSignIn(): Promise<void> {
  onReturn(readWhatFailed);
  watch(person, (now, before) => void (now?.id === before?.id || change(now?.id)));
  return change(person.value?.id);
}

async function change(personId: string | undefined): Promise<void> {
  leave();
  if (!personId) return;
  openFor(personId);
  const [me, home, feed, packets, outbox, notices] = stores();
  await Promise.all([me.restore(), home.restore(), feed.restore(), packets.restore(), outbox.restore(), notices.restore()]);
  if (person.value?.id !== personId) return;
  stream = new Stream({ hear, resync, rereadFirst });
  void outbox.flush();
  await stream.isPlaced;
  const ifStillHere = (read: Reread) => () => (person.value?.id === personId ? read() : undefined);
  // What I decide on, only my permissions tell.
  void me.begin().catch(() => undefined).then(() => whenIdle(ifStillHere(readDecisions)));
  await Promise.all([readApprovals, feed.begin, notices.begin].map((read) => whenIdle(ifStillHere(read))));
}

/** What could not be read while the server was away. */
function readWhatFailed(): void {
  if (!stream) return;
  for (const store of [useHome(), useApprovals()]) if (store.problem) void store.refresh();
  for (const { begin } of [useMe(), useFeed(), useNotices()]) void whenIdle(begin);
  void whenIdle(readDecisions);
}

const readDecisions = (): Promise<void> => (useDeciding().problem ? useDeciding().refresh() : useDeciding().begin());

const readApprovals = (): Promise<void> | void => (useApprovals().mayDecide() ? useApprovals().refresh() : undefined);

/** Sign out: the server ends the sign-in, and this browser forgets the person. */
export async function signOut(): Promise<void> {
  const personId = person.value?.id;
  await call("DELETE", "/sessions/current", { keepalive: true }).catch(() => undefined);
  end("");
  leave();
  if (personId) await forget(personId);
}

function hear(event: StreamEvent): void {
  const [, home, feed, packets] = stores();
  if (event.kind === "people.access_changed") void readAsAllowed().catch(() => undefined);
  home.hear(event);
  feed.hear(event);
  packets.hear(event);
  useNotices().hear(event);
  useApprovals().hear(event);
  useDeciding().hear(event);
  useDocuments().hear(event);
  screens.forEach((_reread, hearer) => hearer(event));
}

/** What I may see is another now. */
async function readAsAllowed(): Promise<void> {
  const [me, home, feed] = stores();
  await Promise.all([forgetSeen(), me.refresh().then(useDeciding().refresh), home.refresh(), feed.refresh()]);
}

async function resync(): Promise<void> {
  const [me, home, feed, packets] = stores();
  const rereads: Promise<unknown>[] = [forgetSeen(), me.refresh().catch(() => undefined), home.refresh(), feed.refresh(), useNotices().refresh(), rereadScreens()];
  for (const store of [useApprovals(), useDeciding()]) if (store.isLoaded) rereads.push(store.refresh());
  if (useDocuments().isLoaded) rereads.push(useDocuments().refresh());
  if (packets.wallet) rereads.push(packets.refresh());
  await Promise.all(rereads);
}

const rereadScreens = (): Promise<unknown> => Promise.all([...screens.values()].map((reread) => reread()));

/** Who listens for the first time has read the screen before the log told where it stands: that may lack what happened until then. */
async function rereadFirst(): Promise<void> {
  const begun = [useHome(), useFeed(), useNotices()].filter((store) => store.isBegun);
  await Promise.all([rereadScreens(), ...begun.map((store) => store.refresh())]);
}

function leave(): void {
  stream?.stop();
  stream = null;
  saveDrafts();
  endStay();
  close();
  forgetPictures();
  stores().forEach((store) => store.clear());
}

function stores() {
  return [useMe(), useHome(), useFeed(), usePackets(), useOutbox(), useNotices(), useApprovals(), useDocuments(), useDeciding()] as const;
}
