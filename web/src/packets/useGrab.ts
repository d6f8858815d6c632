// Opening a packet: one call, repeated while the network is away, because asking again gives the same share; it goes on when
// the screen is left.
import { onScopeDispose, ref } from "vue";
import { asProblem, type Problem } from "@/api/problem";
import type { Grab } from "@/api/shapes";
import { onReturn } from "@/app/network";
import { usePackets } from "@/store/packets";
import { thisStay } from "@/store/stay";

const RETRY_MS = 2_000;
/** The server does not know yet whether there is a share for me. */
const ASK_AGAIN_MS = 700;

export function useGrab(packetId: () => string) {
  const packets = usePackets();
  const grabbed = ref<Grab | null>(null);
  const problem = ref<Problem | null>(null);
  const isOpening = ref(false);
  const isStill = thisStay();
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function open(): Promise<void> {
    if (isOpening.value && !problem.value?.isPassing) return;
    clearTimeout(timer);
    [isOpening.value, problem.value] = [true, null];
    try {
      grabbed.value = await packets.grab(packetId());
      if (grabbed.value.result === "pending") repeat(ASK_AGAIN_MS);
      else isOpening.value = false;
    } catch (error) {
      if (!isStill()) return;
      const why = (problem.value = asProblem(error));
      if (why.isPassing) repeat(Math.max(RETRY_MS, why.retryAfterSeconds * 1000));
      else await refused(why);
      // The app may be gone before the network is back.
      if (why.isOffline) await packets.grabLater(packetId());
    }
  }

  function repeat(afterMs: number): void {
    if (isOver) return;
    timer = setTimeout(() => {
      isOpening.value = false;
      void open();
    }, afterMs);
  }

  const waits = (): boolean => isOpening.value && (problem.value?.isPassing || grabbed.value?.result === "pending");

  /** Frozen, over, withdrawn or not for me: the packet as it is now says so better than what was shown. */
  async function refused(why: Problem): Promise<void> {
    isOpening.value = false;
    if (why.isRefusal) packets.dropGrab(packetId());
    await packets.read(packetId()).catch(() => undefined);
  }

  onReturn(() => {
    if (!isOver && isOpening.value && problem.value?.isPassing) void open();
  });
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
    if (isStill() && waits()) void packets.grabLater(packetId());
  });
  if (packets.isGrabWaiting(packetId())) void open();
  return { grabbed, problem, isOpening, open };
}
