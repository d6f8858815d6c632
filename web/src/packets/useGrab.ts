// Opening a packet: one call, repeated while the network is away, because asking again gives the same share.
import { onScopeDispose, ref } from "vue";
import { asProblem, type Problem } from "@/api/problem";
import type { Grab } from "@/api/shapes";
import { onReturn } from "@/app/network";
import { usePackets } from "@/store/packets";

const RETRY_MS = 2_000;
/** The server does not know yet whether there is a share for me. */
const ASK_AGAIN_MS = 700;

export function useGrab(packetId: () => string) {
  const packets = usePackets();
  const grabbed = ref<Grab | null>(null);
  const problem = ref<Problem | null>(null);
  const isOpening = ref(false);
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
      problem.value = asProblem(error);
      if (problem.value.isPassing) repeat(Math.max(RETRY_MS, problem.value.retryAfterSeconds * 1000));
      else await refused();
    }
  }

  function repeat(afterMs: number): void {
    if (isOver) return;
    timer = setTimeout(() => {
      isOpening.value = false;
      void open();
    }, afterMs);
  }

  /** Frozen, over, withdrawn or not for me: the packet as it is now says so better than what was shown. */
  async function refused(): Promise<void> {
    isOpening.value = false;
    await packets.read(packetId()).catch(() => undefined);
  }

  onReturn(() => {
    if (!isOver && isOpening.value && problem.value?.isPassing) void open();
  });
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
  });
  return { grabbed, problem, isOpening, open };
}
