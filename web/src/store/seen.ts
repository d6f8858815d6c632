// What screens have shown, kept by their paths for when there is no network.
import { dropKept, keepAmong, recall } from "./db";

const SEEN = "seen:";
/** Whoever opens a document or packet a minute has half a day of them. */
const SEEN_MAX = 500;

export const keepSeen = (path: string, answer: unknown): Promise<unknown> => keepAmong(SEEN, path, answer, SEEN_MAX);
export const recallSeen = <Answer>(path: string): Promise<Answer | null | undefined> => recall<Answer | null>(SEEN + path);

/** What I may see has changed: what I saw may not be mine to see any more. */
export const forgetSeen = (): Promise<unknown> => dropKept(SEEN);
