// A refusal as the server writes it (RFC 9457), or the network's own: what went wrong, in the reader's language.
import { t } from "@/app/i18n";

export type FieldErrors = Record<string, { code: string; text: string }>;
type ProblemBody = { status: number; title?: string; detail?: string; code?: string; errors?: FieldErrors };

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldErrors;
  readonly retryAfterSeconds: number;
  readonly body: ProblemBody & Record<string, unknown>;

  constructor(body: ProblemBody, retryAfterSeconds = 0) {
    super(textOf(body));
    this.body = body as ProblemBody & Record<string, unknown>;
    this.status = body.status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? {};
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The same call may well succeed later, without the person doing anything. */
  get isPassing(): boolean {
    return this.isInProgress || this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** The first call with this key still runs: its answer will be ours. */
  get isInProgress(): boolean {
    return this.code === "idempotency_key_in_progress";
  }

  /** An earlier call with this key was carried out: it asked for something else, or was answered too long ago. */
  get isKeyReused(): boolean {
    return ["idempotency_key_reused", "idempotency_key_spent"].includes(this.code);
  }

  /** The server has looked at what was asked for and said no: nothing came of it. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status !== 401 && !this.isPassing && !this.isKeyReused;
  }

  get isOffline(): boolean {
    return this.status === 0;
  }

  get isForbidden(): boolean {
    return this.status === 403 || this.status === 404;
  }
}

export const offline = (): Problem => new Problem({ status: 0, code: "offline", detail: t("trouble.offline") });

export async function problemFrom(answer: Response): Promise<Problem> {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  try {
    return new Problem({ ...(await answer.json()), status: answer.status }, retryAfter);
  } catch {
    return new Problem({ status: answer.status }, retryAfter);
  }
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem({ status: -1, code: "fault", detail: t("trouble.fault") });

function textOf(body: ProblemBody): string {
  const fields = Object.values(body.errors ?? {}).map((field) => field.text);
  return [body.detail ?? body.title ?? t("trouble.fault"), ...fields].join(" · ");
}
