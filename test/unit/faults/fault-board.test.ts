/** The board: faults end by time, by heal or by their last strike; what they did stays told. */
import { lastingCommand } from '@balsa/node/faults/command.ts';
import {
  addFault,
  createFaultBoard,
  describeBoard,
  faultsNamed,
  healFaults,
  strike,
  TooManyFaults,
} from '@balsa/node/faults/fault-board.ts';
import { expect, test } from 'vitest';
import { createStream } from '../../sim/world/random-streams.ts';
import { createManualClock } from '../transport/manual-clock.ts';
import { parseLasting } from './faulty-disk.ts';

function createBoard() {
  const clock = createManualClock();
  return { clock, board: createFaultBoard(clock, createStream('board')) };
}
const syncError = (more = {}) => parseLasting({ fault: 'sync-error', ...more });

test('a fault heals by itself after its time to live, and whoever waits for its end learns it', async () => {
  const { clock, board } = createBoard();
  const fault = addFault(board, parseLasting({ fault: 'stall', ttlMs: 500 }));
  clock.advance(499);
  expect(describeBoard(board)).toMatchObject({ active: [{ id: fault.id, fault: 'stall', leftMs: 1 }], ended: [] });
  clock.advance(1);
  await fault.ended;
  expect(describeBoard(board)).toMatchObject({ active: [], ended: [{ id: fault.id, fault: 'stall', leftMs: 0 }] });
});

test('every lasting fault has a time to live by default, and none without a limit', () => {
  expect(syncError()).toMatchObject({ ttlMs: 30_000 });
  expect(lastingCommand.safeParse({ fault: 'sync-error', ttlMs: 600_001 }).success).toBe(false);
  expect(lastingCommand.safeParse({ fault: 'sync-error', ttlMs: 0 }).success).toBe(false);
});

test('heal ends one fault, or all; a fault that was healed does not end again', () => {
  const { clock, board } = createBoard();
  const [first] = [addFault(board, syncError()), addFault(board, syncError()), addFault(board, syncError())];
  expect(healFaults(board, first!.id)).toBe(1);
  expect(healFaults(board, first!.id)).toBe(0);
  expect(board.active.size).toBe(2);
  expect(healFaults(board)).toBe(2);
  clock.advance(60_000);
  expect(board.past.length).toBe(3);
});

test('a fault strikes matching files only, is counted, and ends with its last strike', () => {
  const { board } = createBoard();
  addFault(board, syncError({ files: '.segment', times: 2 }));
  expect(strike(board, 'sync-error', '/d/watermark')).toBeUndefined();
  expect(strike(board, 'write-error', '/d/1.segment')).toBeUndefined();
  expect(strike(board, 'sync-error', '/d/1.segment')).toMatchObject({ fault: 'sync-error' });
  expect(faultsNamed(board, 'sync-error')).toMatchObject([{ struck: 1 }]);
  expect(strike(board, 'sync-error', '/d/1.segment')).toBeDefined();
  expect(strike(board, 'sync-error', '/d/1.segment')).toBeUndefined();
  expect(describeBoard(board)).toMatchObject({ active: [], ended: [{ struck: 2 }], struck: { 'sync-error': 2 } });
});

test('chance: about as many operations are struck as was said', () => {
  const { board } = createBoard();
  addFault(board, syncError({ perMillion: 250_000 }));
  const struck = Array.from({ length: 2_000 }, () => strike(board, 'sync-error', '/d/a')).filter((found) => found !== undefined).length;
  expect(struck).toBeGreaterThan(400);
  expect(struck).toBeLessThan(600);
});

test('limits: so many faults are active, so many ended ones remembered', () => {
  const { board } = createBoard();
  for (let i = 0; i < 100; i++) addFault(board, syncError());
  expect(() => addFault(board, syncError())).toThrow(TooManyFaults);
  healFaults(board);
  for (let i = 0; i < 50; i++) addFault(board, syncError());
  healFaults(board);
  expect(describeBoard(board).ended.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, i) => i + 51));
});
