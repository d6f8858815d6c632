// What screens have shown, kept by their paths for when there is no network.
import { dropKept, keep, recall } from "./db";

const SEEN = "seen:";

export const keepSeen = (path: string, answer: unknown): Promise<void> => keep(SEEN + path, answer);
export const recallSeen = <Answer>(path: string): Promise<Answer | null | undefined> => recall<Answer | null>(SEEN + path);

/** What I may see has changed: what I saw may not be mine to see any more. */
export const forgetSeen = (): Promise<unknown> => dropKept(SEEN);
