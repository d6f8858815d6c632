// Links in what people wrote: those to a screen of this app open it without loading everything anew.
import { router } from "@/app/router";

export function followInside(event: MouseEvent): void {
  const link = (event.target as Element).closest?.("a");
  const path = link?.getAttribute("href") ?? "";
  if (!/^\/(?!\/)/.test(path) || event.ctrlKey || event.metaKey || event.button !== 0) return;
  event.preventDefault();
  void router.push(path);
}
