/** Bits that flip on the disk: where, and where not. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { faultCommand } from '@balsa/node/faults/command.ts';
import { flipBit, NothingToFlip } from '@balsa/node/faults/bit-flip.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

function flip(command: Readonly<Record<string, unknown>> = {}) {
  const checked = faultCommand.parse({ fault: 'bit-flip', ...command });
  if (checked.fault !== 'bit-flip') throw new Error('unreachable');
  return flipBit(it.folder, checked, it.board.random, it.shim.isUnsyncedAt);
}

test('one bit of one byte changes: anywhere in what was written, or where it is asked for', () => {
  mkdirSync(it.path('journal'));
  const before = Buffer.concat([Buffer.from('<the first><the second>'), Buffer.alloc(1000)]);
  const file = it.path('journal/1.segment');
  writeFileSync(it.path('other'), before);
  for (const command of [{}, { position: 900 }, { contains: '<the second>' }]) {
    writeFileSync(file, before);
    const flipped = flip(command);
    const after = readFileSync(file);
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    expect(changed).toEqual([flipped.position]);
    expect(flipped).toMatchObject({ file, before: before[flipped.position], after: after[flipped.position] });
    expect((flipped.before ^ flipped.after).toString(2).replaceAll('0', '')).toBe('1');
    if ('position' in command) expect(flipped.position).toBe(900);
    else if ('contains' in command) expect(flipped.position).toBe(11);
    else expect(before[flipped.position]).not.toBe(0);
  }
  expect(readFileSync(it.path('other'))).toEqual(before);
});

test('what is not synced is never struck, and where nothing is left the caller is told', async () => {
  const file = await it.create('1.segment', 'synced');
  await file.datasync();
  await file.write(3, [Buffer.from('NOT SYNCED')]);
  for (let i = 0; i < 50; i++) expect(flip().position).toBeLessThan(3);
  expect(() => flip({ position: 5 })).toThrow(NothingToFlip);
  expect(() => flip({ contains: 'SYNCED' })).toThrow(NothingToFlip);
  expect(() => flip({ contains: 'nowhere' })).toThrow(NothingToFlip);
  expect(() => flip({ files: 'no such file' })).toThrow(NothingToFlip);
});
