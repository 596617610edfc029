/** What is wrong with a scenario: all findings at once, each with its place in the file. */
export interface ScenarioFinding {
  /** From 1; undefined where the scenario does not come from a file. */
  readonly line?: number;
  /** For example `steps[2].with.delayMs`. */
  readonly field: string;
  /** What is wrong and what is allowed. */
  readonly problem: string;
}

export class ScenarioError extends Error {
  override readonly name: string = 'ScenarioError';
  readonly findings: readonly ScenarioFinding[];

  /** `origin`: the file, or what else the scenario is. */
  constructor(origin: string, findings: readonly ScenarioFinding[]) {
    super(
      findings
        .map(
          ({ line, field, problem }) =>
            `${line === undefined ? origin : `${origin}:${line}`}: ${field === '' ? '' : `${field}: `}${problem}`,
        )
        .join('\n'),
    );
    this.findings = findings;
  }
}

/** Place in a scenario: names and positions from the outside in. */
export type FieldPath = readonly (string | number)[];

export interface FieldProblem {
  readonly path: FieldPath;
  readonly problem: string;
}

export const fieldName = (path: FieldPath): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
