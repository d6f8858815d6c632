// Tabs of one browser agree by Web Locks; where there are none (plain HTTP), each tab is alone and the server sorts it out.

const turns = new Map<string, Promise<unknown>>();

/** Do it while no other tab does, and nothing else in this one. */
export async function withLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  if (!navigator.locks) {
    const turn = (turns.get(name) ?? Promise.resolve()).catch(() => undefined).then(work);
    turns.set(name, turn);
    return turn;
  }
  return (await navigator.locks.request(name, work)) as Result;
}

/** Wait to be the one tab that holds `name`, then stay it until `until` is over. */
export function lead(name: string, begin: () => void, until: AbortSignal): void {
  if (!navigator.locks) {
    begin();
    return;
  }
  const held = async (): Promise<void> => {
    if (until.aborted) return;
    begin();
    await new Promise<void>((resolve) => until.addEventListener("abort", () => resolve(), { once: true }));
  };
  navigator.locks.request(name, { signal: until }, held).catch(() => undefined);
}
