/**
 * Runs seeds in a process of its own, so that a run without an end and a process that breaks
 * are failures of their seed and of nothing else.
 *
 * The process is of the same Node with the same flags as this one, and is started when first
 * needed; one that was lost is replaced for the next seed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { lostOutcome, type SeedOutcome, type SeedRequest } from './seed-outcome.ts';

export const hangsRule = 'hangs';
export const lostRule = 'the process of the run ended';

export interface SeedProcess {
  /** One at a time. Never rejects. */
  readonly run: (request: SeedRequest) => Promise<SeedOutcome>;
  /** Ends the process; a run under way comes to its end as lost. */
  readonly close: () => void;
}

export interface SeedProcessOptions {
  /** Real time that a run may take. */
  readonly limitMs: number;
  /** What the process runs; for tests. */
  readonly program?: string;
}

/** Of what the process says on stderr, the end is kept. */
const stderrCharsMax = 4000;

export function createSeedProcess({
  limitMs,
  program = fileURLToPath(new URL('seed-process-main.ts', import.meta.url)),
}: SeedProcessOptions): SeedProcess {
  let child: ChildProcess | undefined;
  let stderr = '';
  const start = (): ChildProcess => {
    const started = fork(program, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    stderr = '';
    started.stderr?.on('data', (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(-stderrCharsMax);
    });
    started.on('close', () => {
      if (child === started) child = undefined;
    });
    return started;
  };
  return {
    run: async (request) => {
      child ??= start();
      const ended = await once(child, request, limitMs);
      if (!('ended' in ended)) return ended;
      child = undefined;
      const failure =
        ended.ended === 'late'
          ? { rule: hangsRule, reason: `no end within ${limitMs / 1000} s of real time` }
          : { rule: lostRule, reason: [ended.ended, stderr.trim()].filter((text) => text !== '').join('\n') };
      return lostOutcome(request, failure);
    },
    close: () => child?.kill('SIGKILL'),
  };
}

interface Lost {
  readonly ended: string;
}

/** Sends a request and waits for its answer, the end of the process, or of the time. */
function once(child: ChildProcess, request: SeedRequest, limitMs: number): Promise<SeedOutcome | Lost> {
  return new Promise((resolve) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limitMs);
    const settle = (result: SeedOutcome | Lost): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('close', onClose);
      child.off('error', onError);
      resolve(result);
    };
    const onMessage = (outcome: SeedOutcome): void => settle(outcome);
    // After `close` everything that the process said has been read.
    const onClose = (code: number | null, signal: string | null): void =>
      settle({ ended: isLate ? 'late' : signal === null ? `exit code ${code}` : `signal ${signal}` });
    const onError = (error: Error): void => settle({ ended: error.message });
    child.on('message', onMessage);
    child.on('close', onClose);
    child.on('error', onError);
    child.send(request, (error) => {
      // A process that is gone says so with `close`.
      if (error !== null && child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    });
  });
}
