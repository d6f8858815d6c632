// Uploading a picture, with how far it is; the id makes sending it again harmless.
import { call } from "./call";
import { offline, Problem } from "./problem";
import { endOf, renew, token, whoIsHere } from "./session";
import { locale } from "@/app/i18n";
import { noteAnswer, noteSilence } from "@/app/network";

const PATIENCE_MS = 180_000;

export async function upload(blob: Blob, clientId: string, told: (share: number) => void, whose = whoIsHere()): Promise<string> {
  const access = await token(whose);
  const first = await send(blob, clientId, told, access);
  if (first.status !== 401) return idIn(first);
  const again = await send(blob, clientId, told, await renew(access, whose));
  if (again.status === 401) endOf(whose, "session.ended");
  return idIn(again);
}

/** Look at a picture of a post. */
export const picture = (id: string, size: "full" | "small"): Promise<Blob> => call<Blob>("GET", `/files/${id}?size=${size}`, { asBlob: true });

function send(blob: Blob, clientId: string, told: (share: number) => void, access: string): Promise<XMLHttpRequest> {
  const form = new FormData();
  form.set("client_id", clientId);
  form.set("file", blob, "photo.jpg");
  // fetch does not say how far an upload is.
  const asking = new XMLHttpRequest();
  asking.open("POST", "/api/v1/files");
  asking.setRequestHeader("Authorization", `Bearer ${access}`);
  asking.setRequestHeader("Accept-Language", locale.value);
  asking.timeout = PATIENCE_MS;
  asking.upload.onprogress = (at) => at.lengthComputable && told(at.loaded / at.total);
  return new Promise((resolve, reject) => {
    asking.onload = () => (noteAnswer(), resolve(asking));
    asking.onerror = asking.ontimeout = () => (noteSilence(), reject(offline()));
    asking.send(form);
  });
}

function idIn(answer: XMLHttpRequest): string {
  const body = parsed(answer.responseText);
  if (answer.status === 201) return String(body.id);
  throw new Problem({ ...body, status: answer.status }, Number(answer.getResponseHeader("Retry-After")) || 0);
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
