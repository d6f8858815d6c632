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

/** Who lives in this tab; what they begin is theirs to its end, whoever signs in meanwhile. */
export const whoIsHere = (): string => person.value?.id ?? "";

/** A token of theirs that is good for the next seconds. */
export async function token(whose = whoIsHere()): Promise<string> {
  const kept = readOf(whose);
  return Date.now() < kept.until - SPARE_MS ? kept.access_token : renew(kept.access_token, whose);
}

/** Trade the refresh token for a new pair, unless another tab has just done so. */
export function renew(refused: string, whose = whoIsHere()): Promise<string> {
  return withLock("workspace.renew", async () => {
    const kept = readOf(whose);
    if (kept.access_token !== refused) return kept.access_token;
    try {
      const opened = await send("/sessions/refresh", { refresh_token: kept.refresh_token });
      // Signed out meanwhile, or another person signed in: the new pair is nobody's.
      readOf(whose);
      return keep(opened, kept.tenant);
    } catch (error) {
      if (error instanceof Problem && !error.isPassing) endOf(whose, "session.ended");
      throw error;
    }
  });
}

/** The server no longer knows the sign-in of this person; another's goes on. */
export function endOf(whose: string, reason: string): void {
  if (read()?.person.id === whose) end(reason);
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

function readOf(whose: string): Kept {
  const kept = read();
  if (kept?.person.id !== whose) throw new Problem({ status: 401, code: "not_signed_in" });
  return kept;
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
