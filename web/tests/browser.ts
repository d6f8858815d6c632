// The few things of a browser that stores ask for, where tests run without one.
import "fake-indexeddb/auto";
import { vi } from "vitest";
import type { Person } from "@/api/shapes";

const kept = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
  removeItem: (key: string) => kept.delete(key),
});
vi.stubGlobal("window", globalThis);
vi.stubGlobal("addEventListener", () => undefined);
vi.stubGlobal("removeEventListener", () => undefined);
vi.stubGlobal("BroadcastChannel", undefined);
vi.stubGlobal("navigator", { onLine: true, language: "zh-CN", userAgent: "test" });
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));

const { person } = await import("@/api/session");

export function signInAs(id: string): void {
  kept.set("workspace.session", JSON.stringify({ access_token: `token of ${id}`, refresh_token: "r", expires_in: 900, until: Date.now() + 900_000, person: someone(id), tenant: "demo" }));
  person.value = someone(id);
}

const someone = (id: string): Person => ({ id, name: id, login: id, title: "" });

/** The token of who is signed in is no longer good; only the refresh token is. */
export function runOut(): void {
  const session = JSON.parse(kept.get("workspace.session") ?? "null");
  kept.set("workspace.session", JSON.stringify({ ...session, until: 0 }));
}

/** What the server answers, in order; `null` for no network. */
export function answerWith(...answers: ({ status: number; body?: unknown } | null)[]) {
  const asked = vi.fn(async (_url: string, _init?: RequestInit) => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (!next) throw new TypeError("network");
    return new Response(next.body === undefined ? null : JSON.stringify(next.body), { status: next.status });
  });
  vi.stubGlobal("fetch", asked);
  return asked;
}
