// What time it is: the server's word, because phones are set wrong; by the phone's own clock while the server is silent.
import { ref } from "vue";

/** Less is the time on the way, not a wrong clock. */
const SLACK_MS = 60_000;
const KEY = "workspace.clock";
/** How wrong it was last time holds until the server speaks: what is kept is on the screen before. */
const aheadMs = ref(Number(localStorage.getItem(KEY)) || 0);

export const now = (): number => Date.now() + aheadMs.value;

/** Every answer says when it was written. */
export function learnTime(answer: Response): void {
  const said = Date.parse(answer.headers.get("Date") ?? "");
  if (Number.isNaN(said)) return;
  const off = said - Date.now();
  const before = aheadMs.value;
  aheadMs.value = Math.abs(off) > SLACK_MS ? off : 0;
  // Each answer differs by its time on the way, which is not worth keeping.
  if (Math.abs(aheadMs.value - before) > SLACK_MS) localStorage.setItem(KEY, String(aheadMs.value));
}

/** What day it is in a zone by the server's clock, "2026-11-22": where the company counts its days, not where the phone is. */
export const todayIn = (zone: string): string => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date(now()));
