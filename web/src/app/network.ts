// Whether the server can be reached, from what calls and the stream experience; the browser's own word is only a hint.
import { ref } from "vue";

export const isOnline = ref(navigator.onLine);
const returned = new Set<() => void>();

addEventListener("online", noteAnswer);
addEventListener("offline", noteSilence);

/** Called whenever the server is back after having been away; gives the way to be called no more. */
export function onReturn(act: () => void): () => void {
  returned.add(act);
  return () => void returned.delete(act);
}

export function noteAnswer(): void {
  if (isOnline.value) return;
  isOnline.value = true;
  returned.forEach((act) => act());
}

export function noteSilence(): void {
  isOnline.value = false;
}
