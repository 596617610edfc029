/** A run that failed: which rule was broken, and the facts. */
export class SimFailure extends Error {
  override readonly name = 'SimFailure';
  /** Stable name of the rule, the same for every seed that breaks it. */
  readonly rule: string;

  constructor(rule: string, facts: string) {
    super(`${rule}: ${facts}`);
    this.rule = rule;
  }
}

export function require(condition: boolean, rule: string, facts: () => unknown): asserts condition {
  if (!condition) throw new SimFailure(rule, JSON.stringify(facts()));
}
