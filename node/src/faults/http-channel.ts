/**
 * The control channel over HTTP.
 *
 *   GET  /faults   what is active, what has struck, what would be lost (FaultReport)
 *   POST /faults   one command of command.ts as JSON
 *
 * From loopback only. Answers are JSON; refusals say `error`. A request needs the content
 * type application/json, which keeps out the pages of a browser on the same machine.
 */
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Page } from '../edges/http/http-server.ts';
import { NothingToFlip } from './bit-flip.ts';
import { faultCommand } from './command.ts';
import type { FaultControl } from './control.ts';
import { TooManyFaults } from './fault-board.ts';
import { killProcess } from './power-failure.ts';

const bodyBytesMax = 16 * 1024;

export function httpChannel(control: FaultControl): (request: IncomingMessage) => Promise<Page> {
  return async (request) => {
    if (!isLoopback(request.socket.remoteAddress)) return refusal(403, 'the control channel of faults answers this machine only');
    if (request.method === 'GET') return page(200, control.describe());
    if (request.method !== 'POST') return refusal(405, 'GET says what is active, POST takes a command');
    const misfit = misfitOf(request);
    return misfit ?? command(control, await bodyOf(request));
  };
}

const isLoopback = (address = ''): boolean => /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/.test(address);

/** The body is as long as it says: the parser sees to that. */
function misfitOf({ headers }: IncomingMessage): Page | undefined {
  if (headers['content-type']?.split(';')[0]?.trim() !== 'application/json') return refusal(415, 'expected content-type application/json');
  const bytes = headers['content-length'];
  if (bytes === undefined) return refusal(411, 'expected a content-length');
  return Number(bytes) > bodyBytesMax ? refusal(413, `a command has at most ${bodyBytesMax} bytes`) : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function command(control: FaultControl, body: string): Promise<Page> {
  const parsed = parse(body);
  if ('error' in parsed) return refusal(400, parsed.error);
  const isLast = parsed.command.fault === 'power-loss';
  try {
    const answer = page(200, await control.execute(parsed.command));
    return isLast ? { ...answer, sent: killProcess } : answer;
  } catch (error) {
    if (error instanceof TooManyFaults || error instanceof NothingToFlip) return refusal(409, error.message);
    if (!isLast) throw error;
    return { ...refusal(500, `the power is off, what was not synced could not be taken back: ${String(error)}`), sent: killProcess };
  }
}

function parse(body: string): { readonly command: z.infer<typeof faultCommand> } | { readonly error: string } {
  try {
    const checked = faultCommand.safeParse(JSON.parse(body));
    return checked.success ? { command: checked.data } : { error: z.prettifyError(checked.error) };
  } catch (error) {
    return { error: `not JSON: ${String(error)}` };
  }
}

const page = (status: number, content: unknown): Page => ({
  status,
  contentType: 'application/json',
  text: `${JSON.stringify(content)}\n`,
});

const refusal = (status: number, error: string): Page => page(status, { error });
