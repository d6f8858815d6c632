import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import { completed, labelFor, marked, nameAt, unmarked } from "@/feed/mentions";
import { fitted } from "@/feed/photos";
import { useCompose } from "@/feed/useCompose";
import { forget, keepDraft, keepPhoto, openFor, recallDraft, recallPhoto } from "@/store/db";
import { useOutbox } from "@/store/outbox";

const WEI = "01890000-0000-7000-8000-000000000001";
const ANN = "01890000-0000-7000-8000-000000000002";

describe("mentions", () => {
  it("notices the name that is being written, and no address of a mail", () => {
    expect(nameAt("问问 @王", 5)).toBe("王");
    expect(nameAt("@", 1)).toBe("");
    expect(nameAt("done @Wei now", 13)).toBeNull();
    expect(nameAt("wei@example", 11)).toBeNull();
  });

  it("puts the person in the place of what was typed", () => {
    expect(completed("问问 @王 吧", 5, "王宁")).toEqual({ text: "问问 @王宁  吧", caret: 7 });
  });

  it("tells two people of one name apart", () => {
    expect(labelFor({ id: ANN, name: "王宁", login: "ning2" }, { 王宁: WEI })).toBe("王宁(ning2)");
    expect(labelFor({ id: WEI, name: "王宁", login: "ning" }, { 王宁: WEI })).toBe("王宁");
  });

  it("goes to the server by id and comes back as it was written", () => {
    const mentions = { Ann: ANN, "Ann(b)": WEI };
    const wire = marked("@Ann and @Ann(b), not @Anna", mentions);
    expect(wire).toBe(`@[Ann](person:${ANN}) and @[Ann(b)](person:${WEI}), not @Anna`);
    expect(unmarked(wire)).toEqual({ body: "@Ann and @Ann(b), not @Anna", mentions });
    expect(marked("@Wei", {})).toBe("@Wei");
  });
});

describe("photos", () => {
  it("are made smaller in their proportions, never larger", () => {
    expect(fitted(8_000, 4_000)).toEqual({ width: 2_048, height: 1_024 });
    expect(fitted(300, 200)).toEqual({ width: 300, height: 200 });
    expect(fitted(100_000, 10)).toEqual({ width: 2_048, height: 1 });
  });
});

/** Uploads, one answer after the other; null for no network. */
function uploadsAnswer(...answers: ({ status: number; body: object } | null)[]) {
  const sent: FormData[] = [];
  class Upload {
    upload: Record<string, unknown> = {};
    status = 0;
    responseText = "";
    onload = () => undefined;
    onerror = () => undefined;
    open = () => undefined;
    setRequestHeader = () => undefined;
    getResponseHeader = () => null;
    send(form: FormData): void {
      sent.push(form);
      const answer = answers.shift();
      if (answer) [this.status, this.responseText] = [answer.status, JSON.stringify(answer.body)];
      queueMicrotask(() => (answer ? this.onload() : this.onerror()));
    }
  }
  vi.stubGlobal("XMLHttpRequest", Upload);
  return sent;
}

describe("a post with photos", () => {
  beforeEach(async () => {
    await forget("lin");
    signInAs("lin");
    openFor("lin");
    setActivePinia(createPinia());
    for (const key of ["a", "b"]) await keepPhoto(key, new Blob([key]));
  });

  const write = (outbox: ReturnType<typeof useOutbox>) => outbox.addOwn({ kind: "post", method: "POST", path: "/posts", body: { body: "Look" }, photos: ["a", "b"] });

  it("uploads each photo once, also when the network goes in between, and then forgets them", async () => {
    const sent = uploadsAnswer({ status: 201, body: { id: "A" } }, null, { status: 201, body: { id: "B" } });
    const asked = answerWith({ status: 201, body: {} });
    const outbox = useOutbox();
    await write(outbox);
    await outbox.flush();
    await outbox.flush();
    expect(sent.map((form) => form.get("client_id"))).toEqual(["a", "b", "b"]);
    expect(JSON.parse(String(asked.mock.calls[0]?.[1]?.body)).attachments).toEqual(["A", "B"]);
    expect(outbox.entries).toEqual([]);
    expect(await recallPhoto("a")).toBeUndefined();
  });

  it("waits with its reason when a photo is refused, and keeps the photos", async () => {
    uploadsAnswer({ status: 413, body: { code: "feeds.picture_too_large", detail: "too large" } });
    const asked = answerWith({ status: 201, body: {} });
    const outbox = useOutbox();
    await write(outbox);
    await outbox.flush();
    expect(outbox.entries[0]).toMatchObject({ refusal: "too large", code: "feeds.picture_too_large" });
    expect(asked).not.toHaveBeenCalled();
    expect(await recallPhoto("a")).toBeDefined();
  });
});

describe("a refused post that is written again", () => {
  const compose = (again = "") => effectScope().run(() => useCompose("post", "", again))!;

  it("is edited beside what is being written, and stays until it is sent anew", async () => {
    await forget("lin");
    signInAs("lin");
    openFor("lin");
    setActivePinia(createPinia());
    answerWith({ status: 422, body: { code: "people.audience_unknown", detail: "受众不存在" } });
    const outbox = useOutbox();
    const refused = await outbox.addOwn({ kind: "post", method: "POST", path: "/posts", body: { body: "refused" } });
    await outbox.flush();
    await keepDraft("compose", { body: "being written" });
    await keepDraft(`compose:${refused.id}`, { body: "written again", audience: [{ kind: "unit", id: "u", include_below: true }] });
    const again = compose(refused.id);
    await vi.waitUntil(() => again.draft.body);
    expect(outbox.entries.map((entry) => entry.id)).toEqual([refused.id]);
    const asked = answerWith({ status: 201, body: {} });
    await again.send();
    await outbox.flush();
    expect(asked.mock.calls.map(([, init]) => JSON.parse(String(init?.body)).body)).toEqual(["written again"]);
    expect([outbox.entries, await recallDraft(`compose:${refused.id}`), await recallDraft("compose")]).toEqual([[], undefined, { body: "being written" }]);
  });
});
