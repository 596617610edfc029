/**
 * Assertions that stay on in production. A broken invariant is a bug in this
 * program, never an operating error: the host prints the details and stops the
 * node, because going on could acknowledge something that is not there.
 */
export class InvariantViolation extends Error {
  override readonly name: string = 'InvariantViolation';
  /** State that shows the violation, printed when the node stops. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>>) {
    super(`${message} ${JSON.stringify(details)}`);
    this.details = details;
  }
}

/** Throws InvariantViolation unless `condition` holds. `details` is only read on failure. */
export function assert(condition: boolean, message: string, details: Readonly<Record<string, unknown>> = {}): asserts condition {
  if (!condition) throw new InvariantViolation(message, details);
}

/** Marks a case that the types rule out. */
export function unreachable(value: never, message: string): never {
  throw new InvariantViolation(`unreachable: ${message}`, { value });
}
