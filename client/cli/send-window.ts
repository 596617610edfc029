/**
 * A bounded number of sends under way. `room` waits while the window is full, so a fast
 * input never fills the memory; the first failure ends the work, because what follows it
 * would be produced out of order.
 */
export class SendWindow {
  readonly #max: number;
  #underWay = 0;
  #failure: { readonly cause: unknown } | undefined;
  /** Resolved at the next change; made only while somebody waits. */
  #change: PromiseWithResolvers<void> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether a send may start at once; if not, `room` waits or throws. */
  get hasRoom(): boolean {
    return this.#underWay < this.#max && this.#failure === undefined;
  }

  /** Settles when another send may start; throws the first failure of an earlier one. */
  async room(): Promise<void> {
    while (this.#underWay >= this.#max && this.#failure === undefined) await this.#nextChange();
    this.#throwFailure();
  }

  add(send: Promise<unknown>): void {
    this.#underWay += 1;
    send.then(
      () => this.#settled(),
      (cause: unknown) => {
        this.#failure ??= { cause };
        this.#settled();
      },
    );
  }

  /** Settles when nothing is under way any more; throws the first failure. */
  async drain(): Promise<void> {
    while (this.#underWay > 0 && this.#failure === undefined) await this.#nextChange();
    this.#throwFailure();
  }

  #nextChange(): Promise<void> {
    this.#change ??= Promise.withResolvers();
    return this.#change.promise;
  }

  #settled(): void {
    this.#underWay -= 1;
    this.#change?.resolve();
    this.#change = undefined;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
