/**
 * Faults inside a running broker, by the control channel of one that was started with
 * `--unsafe-faults`. Commands, defaults and limits are those of node/src/faults/command.ts.
 *
 * Every lasting fault heals by itself after its `ttlMs`, whatever becomes of the harness.
 */
import type { FaultRequest } from '@balsa/node/faults/command.ts';
import type { FaultReport, FaultResult } from '@balsa/node/faults/control.ts';

/** Longer than the longest block of an event loop and the longest wait for a disk at a power failure. */
const answerMsMax = 30_000;

export interface FaultControl {
  /**
   * Rejects with FaultRefused if the broker says no. A power failure answers with what was lost;
   * then the process is killed. If the connection broke instead, its stderr has the same line.
   */
  readonly apply: <Request extends FaultRequest>(command: Request) => Promise<FaultResult<Request['fault']>>;
  readonly describe: () => Promise<FaultReport>;
  /** Ends one fault, or all; resolves to how many. */
  readonly heal: (id?: number) => Promise<number>;
}

export class FaultRefused extends Error {
  override readonly name: string = 'FaultRefused';
  /** 400: not a command; 404: the broker runs without the flag; 409: it cannot be done now. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** `httpAddress`: host:port of the broker's health and metrics. */
export function faultControl(httpAddress: string): FaultControl {
  const url = `http://${httpAddress}/faults`;
  const apply = <Request extends FaultRequest>(command: Request): Promise<FaultResult<Request['fault']>> =>
    ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(command) });
  return {
    apply,
    describe: () => ask(url),
    heal: async (id) => (await apply({ fault: 'heal', ...(id !== undefined && { id }) })).healed,
  };
}

async function ask<Answer>(url: string, request: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(answerMsMax) });
  const text = await response.text();
  if (!response.ok) throw new FaultRefused(response.status, reasonOf(response.status, text));
  return JSON.parse(text) as Answer;
}

function reasonOf(status: number, text: string): string {
  if (status === 404) return 'the broker takes no faults: it was started without --unsafe-faults';
  try {
    return (JSON.parse(text) as { readonly error: string }).error;
  } catch {
    return text;
  }
}
