/** The Clock port with a wall clock that can be wrong. What it shows is proof enough: describe it. */
import type { Clock } from '../ports/clock.ts';
import { faultsNamed, type FaultBoard } from './fault-board.ts';

export function faultyClock(inner: Clock, board: FaultBoard): Clock {
  return {
    ...inner,
    wallMs: () => faultsNamed(board, 'clock-step').reduce((wallMs, { command }) => wallMs + command.byMs, inner.wallMs()),
  };
}
