// The language chosen on this device, told to the server too: what is pushed is written there.
import { type Language, speak } from "@/app/i18n";
import { call } from "@/api/call";
import { asProblem } from "@/api/problem";
import { person } from "@/api/session";

const UNTOLD = "workspace.language.untold";
let line: Promise<void> = Promise.resolve();

export function choose(language: Language): Promise<void> {
  speak(language);
  localStorage.setItem(UNTOLD, language);
  return tellLanguage();
}

/** What was chosen before the sign-in or without a network is told later. */
export const tellLanguage = (): Promise<void> => (line = line.then(tell));

async function tell(): Promise<void> {
  const language = localStorage.getItem(UNTOLD);
  if (!language || !person.value) return;
  try {
    await call("PATCH", "/me", { body: { locale: language } });
  } catch (error) {
    if (asProblem(error).isPassing) return;
  }
  // Another may have been chosen meanwhile, and is told next.
  if (localStorage.getItem(UNTOLD) === language) localStorage.removeItem(UNTOLD);
}
