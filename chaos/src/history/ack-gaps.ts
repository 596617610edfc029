/** The longest time without an acknowledgement: what a failure costs a producer that never stops sending. */
export class AckGaps {
  /** When the last acknowledgement came, or the work began. */
  #lastMs: number;
  #longestMs = 0;

  constructor(startMs: number) {
    this.#lastMs = startMs;
  }

  acknowledged(nowMs: number): void {
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  get longestMs(): number {
    return this.#longestMs;
  }
}
