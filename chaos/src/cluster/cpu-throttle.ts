/**
 * A broker that gets only a share of the processor, without rights: it is stopped and
 * continued in turns, so short that it looks slow, not dead.
 *
 * The throttle belongs to the node, not to one process: a broker that is started again
 * is as slow as before. It keeps away from a node that somebody else has paused, and lets
 * one that is asked to end do so at full speed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '@balsa/node/core/assert.ts';
import type { ChaosNode } from './chaos-node.ts';
import type { Undo } from '../links/link.ts';
import { type ProcessState, processState } from './process-state.ts';
import type { Proof } from './proofs.ts';

/** Far below an election time-out, so that a small share alone makes nobody a suspect. */
const periodMsDefault = 100;
const shareMin = 0.01;
/** Samples are taken at odd distances, so that they do not run in step with the turns. */
const sampleMs = 7;
const sampledMsDefault = 1_000;
/** So many running ones are expected; that there is none is then no accident. */
const runningLooks = 10;

/** The node runs `share` (above 0, below 1) of the time. Healed, it runs all the time. */
export function throttleCpu(node: Pick<ChaosNode, 'state' | 'signal'>, share: number, periodMs = periodMsDefault): Undo {
  assert(share >= shareMin && share < 1, `the share of a throttled node is ${shareMin} to 1`, { share });
  let timer: NodeJS.Timeout | undefined;
  const stopTurn = (): void => {
    if (node.state() === 'running') node.signal('SIGSTOP');
    timer = setTimeout(runTurn, periodMs * (1 - share));
  };
  const goOn = (): void => {
    if (node.state() !== 'paused') node.signal('SIGCONT');
  };
  const runTurn = (): void => {
    goOn();
    timer = setTimeout(stopTurn, periodMs * share);
  };
  stopTurn();
  return () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    goOn();
  };
}

/**
 * The system shows the process running now and then, and for no more than halfway
 * between its share and all of the time: on a busy machine turns come late.
 */
export async function proveCpuThrottled(node: Pick<ChaosNode, 'id' | 'pid'>, share: number, sampledMs = sampledMsDefault): Promise<Proof> {
  const seen: Record<ProcessState, number> = { running: 0, paused: 0, gone: 0 };
  const endMs = performance.now() + sampledMs;
  const looksMin = Math.ceil(runningLooks / share);
  for (let looks = 0; looks < looksMin || performance.now() < endMs; looks += 1) {
    const pid = node.pid();
    seen[pid === undefined ? 'gone' : await processState(pid)] += 1;
    await delay(sampleMs);
  }
  const total = seen.running + seen.paused + seen.gone;
  const holds = seen.running > 0 && seen.running / total <= (1 + share) / 2;
  const evidence = `${seen.paused} times stopped, ${seen.running} times running of ${total} looks`;
  return { claim: `node ${node.id} runs ${Math.round(share * 100)} % of the time`, holds, evidence };
}
