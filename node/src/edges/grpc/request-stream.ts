/**
 * One stream of requests with correlated answers, bounded on both sides.
 *
 *  - The stream is read only while less than `requestsMax` requests and `bytesMax` bytes
 *    are in work. A request is in work until its answer was taken by the connection, so a
 *    client that does not read its answers stops being read itself (HTTP/2 flow control
 *    then holds it back), and loses the stream after `stallMs`.
 *  - Answers leave in the order in which they are ready, one write at a time.
 *  - `sent` of an answer is called exactly once: when it left, or when the stream is gone.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { limitReadAhead, resetStream } from './stream-internals.ts';

export interface Answer<Response> {
  readonly response: Response;
  readonly sent: () => void;
}

export interface StreamWork<Request, Response> {
  readonly requestsMax: number;
  readonly bytesMax: number;
  readonly stallMs: number;
  readonly bytesOf: (request: Request) => number;
  /** Never rejects. */
  readonly answer: (request: Request, signal: AbortSignal) => Promise<Answer<Response>>;
}

interface Progress {
  requests: number;
  bytes: number;
  /** The client has sent its last request. */
  ended: boolean;
  closed: boolean;
  /** Answers handed to the stream and not yet taken. */
  readonly leaving: Set<() => void>;
  stallTimer: NodeJS.Timeout | undefined;
}

export function serveRequests<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  work: StreamWork<Request, Response>,
  onClose: () => void,
): void {
  const abort = new AbortController();
  const progress: Progress = { requests: 0, bytes: 0, ended: false, closed: false, leaving: new Set(), stallTimer: undefined };
  const close = (): void => {
    if (progress.closed) return;
    progress.closed = true;
    endStallWatch(progress);
    abort.abort();
    for (const release of progress.leaving) release();
    progress.leaving.clear();
    onClose();
  };
  limitReadAhead(call);
  call.on('data', (request: Request) => void serveOne(call, work, progress, abort.signal, request));
  call.on('end', () => {
    progress.ended = true;
    endIfDone(call, progress);
  });
  call.on('cancelled', close);
  call.on('close', close);
  call.on('error', close);
}

async function serveOne<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  work: StreamWork<Request, Response>,
  progress: Progress,
  signal: AbortSignal,
  request: Request,
): Promise<void> {
  const bytes = work.bytesOf(request);
  progress.requests += 1;
  progress.bytes += bytes;
  if (isFull(work, progress)) call.pause();
  const answer = await work.answer(request, signal);
  if (progress.closed) return answer.sent();
  // One function per answer: answers may share theirs, and each must be counted.
  const sent = (): void => answer.sent();
  progress.leaving.add(sent);
  watchStall(call, work.stallMs, progress);
  call.write(answer.response, () => {
    if (!progress.leaving.delete(sent)) return;
    sent();
    progress.requests -= 1;
    progress.bytes -= bytes;
    endStallWatch(progress);
    watchStall(call, work.stallMs, progress);
    if (call.isPaused() && !isFull(work, progress)) call.resume();
    endIfDone(call, progress);
  });
}

const isFull = (
  { requestsMax, bytesMax }: Pick<StreamWork<never, never>, 'requestsMax' | 'bytesMax'>,
  { requests, bytes }: Progress,
): boolean => requests >= requestsMax || bytes >= bytesMax;

/** Runs while answers wait; only an answer that leaves begins it anew, not one that joins the queue. */
function watchStall<Request, Response>(call: ServerDuplexStream<Request, Response>, stallMs: number, progress: Progress): void {
  if (progress.stallTimer !== undefined || progress.leaving.size === 0) return;
  progress.stallTimer = setTimeout(() => {
    resetStream(call);
    call.destroy();
  }, stallMs);
}

function endStallWatch(progress: Progress): void {
  clearTimeout(progress.stallTimer);
  progress.stallTimer = undefined;
}

function endIfDone<Request, Response>(call: ServerDuplexStream<Request, Response>, { ended, requests, closed }: Progress): void {
  if (ended && requests === 0 && !closed) call.end();
}
