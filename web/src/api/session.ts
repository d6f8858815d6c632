// The sign-in of this browser: its tokens, renewed by one tab at a time, and known to all tabs.
import { ref } from "vue";
import { newId } from "./ids";
import { offline, Problem, problemFrom } from "./problem";
import type { Person, SignedIn } from "./shapes";
import { locale } from "@/app/i18n";
import { withLock } from "@/app/locks";

type Kept = SignedIn & { tenant: string; until: number };

const KEY = "workspace.session";
const SPARE_MS = 30_000;

/** Who is signed in; null for nobody. */
export const person = ref<Person | null>(read()?.person ?? null);
/** Why the last sign-in ended, to be told on the sign-in screen. */
export const endedBecause = ref("");

window.addEventListener("storage", (event) => {
  if (event.key === KEY) person.value = read()?.person ?? null;
});

export async function signIn(tenant: string, login: string, password: string): Promise<void> {
  const device = { id: deviceId(), platform: "web", name: deviceName() };
  const opened = await send("/sessions", { tenant, login, password, device });
  localStorage.setItem("workspace.tenant", tenant);
  keep(opened, tenant);
}

/** A token that is good for the next seconds. */
export async function token(): Promise<string> {
  const kept = read();
  if (!kept) throw new Problem({ status: 401, code: "not_signed_in" });
  return Date.now() < kept.until - SPARE_MS ? kept.access_token : renew(kept.access_token);
}

/** Trade the refresh token for a new pair, unless another tab has just done so. */
export function renew(refused: string): Promise<string> {
  return withLock("workspace.renew", async () => {
    const kept = read();
    if (!kept) throw new Problem({ status: 401, code: "not_signed_in" });
    if (kept.access_token !== refused) return kept.access_token;
    try {
      return keep(await send("/sessions/refresh", { refresh_token: kept.refresh_token }), kept.tenant);
    } catch (error) {
      if (error instanceof Problem && !error.isPassing) end("session.ended");
      throw error;
    }
  });
}

/** Forget the tokens; what was written stays for when the same person comes back. */
export function end(reason: string): void {
  localStorage.removeItem(KEY);
  endedBecause.value = reason;
  person.value = null;
}

export const lastTenant = (): string => localStorage.getItem("workspace.tenant") ?? "demo";

function keep(opened: SignedIn, tenant: string): string {
  const kept: Kept = { ...opened, tenant, until: Date.now() + opened.expires_in * 1000 };
  localStorage.setItem(KEY, JSON.stringify(kept));
  endedBecause.value = "";
  if (person.value?.id !== opened.person.id) person.value = opened.person;
  return opened.access_token;
}

function read(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

async function send(path: string, body: unknown): Promise<SignedIn> {
  const headers = { "Content-Type": "application/json", "Accept-Language": locale.value };
  const answer = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => {
    throw offline();
  });
  if (!answer.ok) throw await problemFrom(answer);
  return (await answer.json()) as SignedIn;
}

function deviceId(): string {
  const known = localStorage.getItem("workspace.device");
  if (known) return known;
  const made = newId();
  localStorage.setItem("workspace.device", made);
  return made;
}

function deviceName(): string {
  const brand = /(iPhone|iPad|Android|Windows|Macintosh|Linux)/.exec(navigator.userAgent)?.[1] ?? "Web";
  return `${brand} · ${navigator.language}`.slice(0, 100);
}
