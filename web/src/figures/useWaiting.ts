// What waits for me: announcements to acknowledge, approvals, packets that can still be opened.
import { computed, ref, watch } from "vue";
import { now } from "@/app/clock";
import { whenIdle } from "@/app/idle";
import { envelopeState } from "@/packets/rules";
import { useApprovals } from "@/store/approvals";
import { useDeciding } from "@/store/deciding";
import { useFeed } from "@/store/feed";
import { useHome } from "@/store/home";
import { useMe } from "@/store/me";
import { usePackets } from "@/store/packets";
import type { IconName } from "@/ui/AppIcon.vue";

type Row = { key: "acknowledge" | "grab" | "decide" | "approve" | "release" | "restated"; icon: IconName; count: number; to: string };

const KEY = "workspace.waiting";
/** What a phone expects that remembers nothing. */
const ROWS_EXPECTED = 1;
/** The newest packets that the feed knows and whose time is not over; each is read once, to know whether it waits for me. */
const READ_MAX = 6;

export function useWaiting() {
  const feed = useFeed();
  const home = useHome();
  const me = useMe();
  const packets = usePackets();
  const approvals = useApprovals();
  const deciding = useDeciding();
  const reading = ref(0);

  const running = computed(() => {
    return Object.values(feed.posts)
      .filter((post) => post.subject?.kind === "packet" && new Date(String(post.subject.data.expires_at)).getTime() > now())
      .sort((one, other) => other.publish_seq - one.publish_seq)
      .map((post) => post.subject!.id);
  });
  const grabbable = computed(() => running.value.filter((id) => envelopeState(packets.packets[id]) === "open"));
  const rows = computed<Row[]>(() =>
    [
      { key: "acknowledge" as const, icon: "check" as const, count: feed.pinned.length, to: "/feed" },
      { key: "grab" as const, icon: "packet" as const, count: grabbable.value.length, to: `/red-packets/${grabbable.value[0]}` },
      { key: "decide" as const, icon: "packet" as const, count: approvals.waiting.length, to: "/approvals" },
      { key: "approve" as const, icon: "clock" as const, count: home.home?.badges.approvals ?? 0, to: "/approvals" },
      { key: "release" as const, icon: "wallet" as const, count: deciding.payouts.length, to: "/payouts" },
      { key: "restated" as const, icon: "chart" as const, count: deciding.proposals.length, to: "/kpi-proposals" },
    ].filter((row) => row.count > 0),
  );

  /** Asked for in one moment, they are read in one call. */
  async function read(ids: string[]): Promise<void> {
    if (!ids.length) return;
    reading.value += 1;
    await whenIdle(() => Promise.allSettled(ids.filter(isUnknown).map(packets.read)));
    reading.value -= 1;
  }
  const isUnknown = (id: string): boolean => !packets.packets[id];
  watch(running, (ids) => void read(ids.filter(isUnknown).slice(0, READ_MAX)), { immediate: true });

  const isKnown = (store: { isLoaded: boolean; problem: unknown }): boolean => store.isLoaded || store.problem !== null;
  const isDecided = computed(() => (!approvals.mayDecide() || isKnown(approvals)) && (!deciding.mayDecide || isKnown(deciding)));
  const isWhole = computed(() => me.me !== null && isDecided.value && (feed.isLoaded || feed.problem !== null) && !reading.value);
  /** For so many rows room is kept until all is known, so that nothing moves under the thumb. */
  const room = computed(() => (isWhole.value || home.problem ? rows.value.length : Math.max(rows.value.length, remembered())));
  watch(() => isWhole.value && rows.value.length, (count) => count !== false && localStorage.setItem(KEY, String(count)), { immediate: true });

  return { rows, room };
}

const remembered = (): number => Number(localStorage.getItem(KEY) ?? ROWS_EXPECTED);
