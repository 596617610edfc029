/** Something that was asked for is not valid: what, why, and what to do next. Nothing was done. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
