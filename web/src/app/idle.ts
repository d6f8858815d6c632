// What can wait does: one work after another, each when nothing is being fetched and the phone has nothing better to do.

const PAUSE_MS = 50;
const PATIENCE_MS = 2_000;

let errands = 0;
const waiting: (() => void)[] = [];
let line: Promise<unknown> = Promise.resolve();

/** Somebody waits for this answer: what can wait lets it go first. */
export async function first<Answer>(errand: Promise<Answer>): Promise<Answer> {
  errands += 1;
  try {
    return await errand;
  } finally {
    errands -= 1;
    if (!errands) waiting.splice(0).forEach((goOn) => goOn());
  }
}

/** Do it when its turn has come; what fails holds nobody up. */
export function whenIdle(work: () => unknown): Promise<void> {
  const done = line.then(quiet).then(idle).then(work).then(
    () => undefined,
    () => undefined,
  );
  line = done;
  return done;
}

const quiet = (): Promise<void> | void => (errands ? new Promise((resolve) => waiting.push(resolve)) : undefined);

/** Not every browser says when it is idle. */
function idle(): Promise<unknown> {
  if (typeof requestIdleCallback !== "function") return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return new Promise((resolve) => requestIdleCallback(resolve, { timeout: PATIENCE_MS }));
}
