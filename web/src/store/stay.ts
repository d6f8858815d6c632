// One person's stay in this tab, from a sign-in to its end: what was asked for in it and comes after it is nobody's.

let stays = 0;

/** Whoever was here has left, and takes along what is still on its way. */
export function endStay(): void {
  stays += 1;
}

/** Says later whether this is still the same stay. */
export function thisStay(): () => boolean {
  const mine = stays;
  return () => mine === stays;
}
