import { answerWith, signInAs } from "./browser";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope } from "vue";
import type { Comment, StreamEvent } from "@/api/shapes";
import { useComments } from "@/feed/useComments";
import { forget, openFor } from "@/store/db";
import { useOutbox } from "@/store/outbox";

const heard = vi.hoisted(() => ({ hear: (_event: StreamEvent): void => undefined }));
vi.mock("@/store/presence", () => ({ onEvents: (hear: typeof heard.hear) => ((heard.hear = hear), () => undefined) }));

const comment = (seq: number): Comment => ({ id: `c${seq}`, seq, client_id: `k${seq}`, body_html: String(seq) }) as unknown as Comment;
const page = (from: number, to: number, next_cursor: string | null) => ({ status: 200, body: { items: Array.from({ length: to - from + 1 }, (_, at) => comment(from + at)), next_cursor } });
const added = (seq: number): StreamEvent => ({ seq, kind: "feeds.comment_added", ref: null, version: 1, data: { post_id: "p", comment: comment(seq) } }) as StreamEvent;
const talk = () => effectScope().run(() => useComments("p"))!;
const seqs = (shown: Comment[]): number[] => shown.map((one) => one.seq);

beforeEach(async () => {
  await forget("lin");
  signInAs("lin");
  openFor("lin");
  setActivePinia(createPinia());
});

describe("a talk of more than one page", () => {
  it("shows my comment and those of others at once, and each once when the pages between have come", async () => {
    answerWith(page(1, 50, "next"), { status: 201, body: comment(70) }, page(51, 71, null));
    const { paged, later, comments, draft, sending, load, send } = talk();
    await load();
    draft.body = "mine";
    await send();
    await useOutbox().flush();
    heard.hear(added(71));
    expect([seqs(later.value), paged.value.length, sending.value]).toEqual([[70, 71], 50, []]);
    await load(true);
    expect([seqs(comments.value), later.value]).toEqual([Array.from({ length: 71 }, (_, at) => at + 1), []]);
  });

  it("keeps what came when its beginning is read anew", async () => {
    answerWith(page(1, 50, "next"));
    const { later, load } = talk();
    await load();
    heard.hear(added(71));
    await load();
    expect(seqs(later.value)).toEqual([71]);
  });
});

describe("a refused comment", () => {
  it("goes back into the field, but not in place of another one", async () => {
    answerWith({ status: 422, body: { code: "feeds.closed", detail: "不能评论" } });
    const { draft, sending, send, edit } = talk();
    draft.body = "refused";
    await send();
    await useOutbox().flush();
    const [entry] = sending.value;
    draft.body = "another";
    await edit(entry!);
    expect([draft.body, sending.value.length]).toEqual(["another", 1]);
    draft.body = "";
    await edit(entry!);
    expect([draft.body, sending.value.length]).toEqual(["refused", 0]);
  });
});
