/** Runs a reply cut on a link: finds it a victim, resets it at the right moment, tells the outcome. */
import { assert } from '@balsa/node/core/assert.ts';
import { resetConnection } from './connection.ts';
import type { LinkRuntime, RunningReplyCut } from './link-runtime.ts';
import { createReplyCut, type ReplyCutOptions, type ReplyCutResult } from './reply-cut.ts';

const graceMsDefault = 5_000;
const ttlMsDefault = 30_000;

export interface ReplyCutting {
  readonly arm: (options: ReplyCutOptions) => Promise<ReplyCutResult>;
  /** Ends the one that is under way, if there is one. Its victim is reset: replies are missing in its stream. */
  readonly cancel: () => void;
}

export function createReplyCutting(runtime: LinkRuntime): ReplyCutting {
  let finish: (outcome: ReplyCutResult['outcome']) => void = () => undefined;
  const arm = (options: ReplyCutOptions): Promise<ReplyCutResult> => {
    assert(runtime.replyCut === undefined, 'one reply cut at a time');
    assert('bytes' in options.after || runtime.protocol === 'grpc', 'messages are counted on links that carry gRPC');
    assert(('bytes' in options.after ? options.after.bytes : options.after.messages) > 0, 'a reply cut lets something out', { ...options });
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const cut = createReplyCut(options);
      const expiry = setTimeout(() => finish('expired'), options.ttlMs ?? ttlMsDefault);
      const running: RunningReplyCut = { cut, victim: undefined, review: () => review() };
      const review = (): void => {
        const gone = running.victim !== undefined && !runtime.connections.has(running.victim);
        if (cut.phase === 'answered') finish('cut');
        else if (gone) finish('unanswered');
        else if (cut.phase === 'waiting' && grace === undefined) {
          clearTimeout(expiry);
          grace = setTimeout(() => finish('unanswered'), options.graceMs ?? graceMsDefault);
        }
      };
      finish = (outcome) => {
        if (runtime.replyCut !== running) return;
        runtime.replyCut = undefined;
        clearTimeout(expiry);
        clearTimeout(grace);
        if (running.victim !== undefined) resetConnection(running.victim);
        resolve({ outcome, forwardedBytes: cut.forwardedBytes, swallowedBytes: cut.swallowedBytes });
      };
      runtime.replyCut = running;
    });
  };
  return { arm, cancel: () => finish('cancelled') };
}
