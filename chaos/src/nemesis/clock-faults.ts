/** What a process takes for time, and time that it does not get: a wrong wall clock, a blocked event loop. */
import * as z from 'zod';
import type { ChaosNode } from '../cluster/chaos-node.ts';
import type { Proof } from '../cluster/proofs.ts';
import { processState } from '../cluster/process-state.ts';
import { beginOnEach, proveBy, runningNode } from './begun.ts';
import { defineFault, type Fault } from './fault.ts';
import { arm, listeningControl } from './in-broker.ts';

const needs = ['unsafe-faults'] as const;
const blockMsMax = 10_000;
/** A page that says nothing for so long. */
const answerMsMax = 200;
const clockToleranceMs = 1000;
const clockStepMsMax = 366 * 24 * 60 * 60_000;

export const blockLoop = defineFault({
  name: 'block-loop',
  family: 'process',
  summary: 'The event loop of the broker does nothing else for so long; its sockets stay open',
  parameters: z.strictObject({
    ms: z
      .number()
      .int()
      .min(2 * answerMsMax)
      .max(blockMsMax)
      .default(2000),
  }),
  needs,
  describe: (nodes, { ms }) => `${ms} ms of a blocked event loop on ${nodes}`,
  begin: (context, nodes, { ms }) =>
    beginOnEach(nodes, async (id) => {
      const node = runningNode(context, id);
      const control = await listeningControl(context, node);
      // Answered when it is over.
      const blocked = control.apply({ fault: 'block', ms });
      blocked.catch(() => undefined);
      return {
        prove: async (ending) => [await proveBy(ending, () => proveBlocked(node))],
        heal: async () => {
          if (node.state() === 'running') await blocked.catch(() => undefined);
        },
      };
    }),
});

/** The process runs, and does not answer. */
async function proveBlocked(node: ChaosNode): Promise<Proof> {
  const pid = node.pid();
  const beganMs = performance.now();
  const answered = await fetch(`http://${node.httpAddress}/livez`, { signal: AbortSignal.timeout(answerMsMax) }).then(
    () => true,
    () => false,
  );
  const waitedMs = Math.round(performance.now() - beganMs);
  const state = pid === undefined ? 'gone' : await processState(pid);
  const evidence = `process ${pid} is ${state}, ${answered ? 'an answer' : 'no answer'} within ${waitedMs} ms`;
  return { claim: `the event loop of node ${node.id} is blocked`, holds: state === 'running' && !answered, evidence };
}

export const clockStep = defineFault({
  name: 'clock-step',
  family: 'process',
  summary: 'The wall clock of the broker is wrong by so much; monotonic time goes on',
  parameters: z.strictObject({ byMs: z.number().int().min(-clockStepMsMax).max(clockStepMsMax).default(-60_000) }),
  needs,
  describe: (nodes, { byMs }) => `a clock wrong by ${byMs} ms on ${nodes}`,
  begin: (context, nodes, { byMs }) =>
    beginOnEach(nodes, async (id) => {
      const armed = await arm(context, id, { fault: 'clock-step', byMs });
      const prove = async (): Promise<Proof> => {
        const { wallMs } = await context.control(id).describe();
        const seenMs = wallMs - Date.now();
        const holds = Math.abs(seenMs - byMs) <= clockToleranceMs;
        return {
          claim: `the clock of node ${id} is wrong by ${byMs} ms`,
          holds,
          evidence: `it says ${Math.round(seenMs)} ms more than this side's`,
        };
      };
      return { prove: async () => [await prove()], heal: armed.heal };
    }),
});

export const clockFaults: readonly Fault[] = [blockLoop, clockStep];
