// The one way to the API: signs each call, renews a sign-in that ran out, and turns every failure into a `Problem`.
import { offline, Problem, problemFrom } from "./problem";
import { endOf, renew, token, whoIsHere } from "./session";
import { locale } from "@/app/i18n";
import { learnTime } from "@/app/clock";
import { first } from "@/app/idle";
import { noteAnswer, noteSilence } from "@/app/network";

/** Whose call it is: theirs who are here when it begins, unless it says. */
export type Call = { body?: unknown; key?: string; signal?: AbortSignal; keepalive?: boolean; asBlob?: boolean; whose?: string };

const PATIENCE_MS = 20_000;
const ASK_AGAIN_MAX = 3;

export const get = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> => call("GET", path, { signal });
export const post = <Answer>(path: string, body: unknown = {}): Promise<Answer> => call("POST", path, { body });

/** Where money or documents move: the key makes asking again harmless. */
export async function pay<Answer>(path: string, body: unknown, key: string): Promise<Answer> {
  const whose = whoIsHere();
  for (let left = ASK_AGAIN_MAX; ; left--) {
    try {
      return await call<Answer>("POST", path, { body, key, whose });
    } catch (error) {
      if (!left || !(error instanceof Problem && error.isInProgress)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, error.retryAfterSeconds) * 1000));
    }
  }
}

export const call = <Answer>(method: string, path: string, options: Call = {}): Promise<Answer> => first(attempt(method, path, options));

async function attempt<Answer>(method: string, path: string, options: Call): Promise<Answer> {
  const whose = options.whose ?? whoIsHere();
  const access = await token(whose);
  const answer = await send(method, path, options, access);
  if (answer.status !== 401) return read<Answer>(answer, options.asBlob);
  const again = await send(method, path, options, await renew(access, whose));
  if (again.status === 401) endOf(whose, "session.ended");
  return read<Answer>(again, options.asBlob);
}

async function send(method: string, path: string, options: Call, access: string): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${access}`, "Accept-Language": locale.value };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.key) headers["Idempotency-Key"] = options.key;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      // The browser asks with the tag it holds, and hands us its copy on 304.
      cache: "no-cache",
      keepalive: options.keepalive,
      signal: options.signal ? AbortSignal.any([options.signal, patience]) : patience,
    });
    noteAnswer();
    learnTime(answer);
    return answer;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    noteSilence();
    throw offline();
  }
}

async function read<Answer>(answer: Response, asBlob = false): Promise<Answer> {
  if (!answer.ok) throw await problemFrom(answer);
  if (answer.status === 204) return undefined as Answer;
  try {
    return (await (asBlob ? answer.blob() : answer.json())) as Answer;
  } catch {
    throw new Problem({ status: 0, code: "offline" });
  }
}
