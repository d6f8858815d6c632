// What arrives on the stream, put in order: nothing twice, a gap asks for what is missing.
import type { StreamEvent } from "./shapes";

export type Standing = { epoch: string | null; seq: number };

export class StreamReader {
  #n: number | undefined;
  /** While a replay is asked for: the event at which the gap was seen; the replay brings it again. */
  #gapAt: number | undefined;

  constructor(
    public standing: Standing,
    private readonly take: (event: StreamEvent) => void,
    private readonly replay: (after: number) => void,
  ) {}

  /** A new connection counts its frames anew. */
  begin(): void {
    this.#n = undefined;
    this.#gapAt = undefined;
  }

  /** Says whether the event was news. */
  read(event: StreamEvent): boolean {
    const hasGap = this.#n !== undefined && event.n !== undefined && event.n > this.#n + 1;
    if (event.n !== undefined) this.#n = event.n;
    if (hasGap && this.#gapAt === undefined) {
      this.#gapAt = event.seq;
      this.replay(this.standing.seq);
    }
    // What was sent before the replay began would overtake what it brings.
    if (this.#gapAt !== undefined && (hasGap || event.seq > this.#gapAt)) return false;
    this.#gapAt = undefined;
    if (event.seq <= this.standing.seq) return false;
    this.standing = { ...this.standing, seq: event.seq };
    this.take(event);
    return true;
  }

  catchUp(seq: number, epoch: string): void {
    this.standing = { epoch, seq: Math.max(this.standing.seq, seq) };
  }

  startOver(seq: number, epoch: string): void {
    this.standing = { epoch, seq };
  }
}
