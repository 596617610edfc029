/** What is wrong with a configuration: all findings at once, each with its key and where it was set. */
export interface ConfigFinding {
  /** section.key, or the word that was not understood. */
  readonly key: string;
  /** `flag --raft.tickMs`, `environment BALSA_RAFT__TICK_MS`, `file balsa.yaml`. */
  readonly origin: string;
  readonly problem: string;
}

export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly findings: readonly ConfigFinding[];

  constructor(findings: readonly ConfigFinding[]) {
    super(findings.map(({ key, origin, problem }) => `${key} (${origin}): ${problem}`).join('\n'));
    this.findings = findings;
  }
}
