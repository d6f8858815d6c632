import { answerWith, signInAs } from "./browser";
import { beforeEach, describe, expect, it } from "vitest";
import { person } from "@/api/session";
import type { Person } from "@/api/shapes";
import { choose, tellLanguage } from "@/people/language";

globalThis.document ??= { documentElement: { lang: "" }, title: "" } as Document;

function arrive(): void {
  signInAs("lin");
  person.value = { id: "lin" } as Person;
}
const told = (asked: ReturnType<typeof answerWith>) => asked.mock.calls.map(([, call]) => JSON.parse(String(call?.body)).locale);

beforeEach(() => {
  person.value = null;
  localStorage.removeItem("workspace.language.untold");
});

describe("the language", () => {
  it("is shown at once and told to the server", async () => {
    arrive();
    const asked = answerWith({ status: 204 });
    await choose("en");
    expect([document.documentElement.lang, document.title, told(asked)]).toEqual(["en", "Workspace", ["en"]]);
  });

  it("is told after the sign-in, or when the network is back, and only once", async () => {
    const asked = answerWith(null, { status: 204 });
    await choose("en");
    expect(asked).not.toHaveBeenCalled();
    arrive();
    await tellLanguage();
    await tellLanguage();
    await tellLanguage();
    expect(told(asked)).toEqual(["en", "en"]);
  });
});
