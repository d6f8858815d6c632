// A newer client on the server: offered, never forced; what is being written lies in IndexedDB and survives the reload.
import { ref } from "vue";
import { noteSilence } from "./network";

const LOOK_AGAIN_MS = 10 * 60_000;
const RELOADED = "workspace.reloaded";
const RELOAD_AGAIN_MS = 60_000;

export const hasUpdate = ref(false);
let registration: ServiceWorkerRegistration | null = null;
let lookedAt = 0;

export async function startServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator) || __BUILD_ID__ === "development") return;
  registration = await navigator.serviceWorker.register("/sw.js").catch(() => null);
}

/** A screen that is loaded late was not there: its build is gone. Load the app of today there, but never again and again. */
export async function reloadAt(path: string): Promise<void> {
  try {
    hasUpdate.value = (await servedBuild()) !== __BUILD_ID__;
  } catch {
    noteSilence();
    return;
  }
  if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < RELOAD_AGAIN_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.assign(path);
}

/** Ask which build the server has; called when the stream comes back and when the app is looked at again. */
export async function lookForUpdate(): Promise<void> {
  if (Date.now() - lookedAt < LOOK_AGAIN_MS || __BUILD_ID__ === "development") return;
  lookedAt = Date.now();
  try {
    if ((await servedBuild()) === __BUILD_ID__) return;
    await registration?.update();
    hasUpdate.value = true;
  } catch {
    lookedAt = 0;
  }
}

const servedBuild = async (): Promise<string> => ((await (await fetch("/build.json", { cache: "no-store" })).json()) as { id: string }).id;

export async function takeUpdate(): Promise<void> {
  const waiting = registration?.waiting ?? registration?.installing;
  if (!waiting) {
    location.reload();
    return;
  }
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  if (waiting.state === "installed") waiting.postMessage("take_over");
  else waiting.addEventListener("statechange", () => waiting.state === "installed" && waiting.postMessage("take_over"));
}
