// Pictures of posts: fetched with the person's own sign-in, held in memory while they are looked at, and no longer.
import { picture } from "@/api/upload";

const HELD_MAX = 120;
const held = new Map<string, Promise<string>>();

/** An address that an <img> of this page can show. */
export function pictureUrl(id: string, size: "full" | "small"): Promise<string> {
  const key = `${id}.${size}`;
  const known = held.get(key) ?? picture(id, size).then((blob) => URL.createObjectURL(blob));
  held.delete(key);
  held.set(key, known);
  // What could not be had is asked for again the next time.
  known.catch(() => held.delete(key));
  for (const oldest of [...held.keys()].slice(0, Math.max(0, held.size - HELD_MAX))) drop(oldest);
  return known;
}

export function forgetPictures(): void {
  [...held.keys()].forEach(drop);
}

function drop(key: string): void {
  void held.get(key)?.then((url) => URL.revokeObjectURL(url), () => undefined);
  held.delete(key);
}
