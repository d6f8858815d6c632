// What time it is: the server's word, because phones are set wrong; by the phone's own clock while the server is silent.
import { ref } from "vue";

/** Less is the time on the way, not a wrong clock. */
const SLACK_MS = 60_000;
const aheadMs = ref(0);

export const now = (): number => Date.now() + aheadMs.value;

/** Every answer says when it was written. */
export function learnTime(answer: Response): void {
  const said = Date.parse(answer.headers.get("Date") ?? "");
  if (Number.isNaN(said)) return;
  const off = said - Date.now();
  aheadMs.value = Math.abs(off) > SLACK_MS ? off : 0;
}
