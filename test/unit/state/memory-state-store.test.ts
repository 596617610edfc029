/** What a crash does to the in-memory folder: a suffix of the unflushed batches is gone, never one in the middle. */
import type { StateStore, StateWrite } from '@balsa/node/ports/state-store.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const mark = (at: number): StateWrite => ({ op: 'put', family: 'meta', key: Uint8Array.of(at), value: Uint8Array.of(at) });
const marks = async (store: StateStore): Promise<number[]> =>
  (await store.range('meta', { from: Uint8Array.of(), to: Uint8Array.of(0xff), limit: 1000 })).map(([key]) => key[0]!);

describe('memory state folder', () => {
  it('loses a suffix of what was written after the last flush', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 10 }), fc.nat({ max: 10 }), fc.nat({ max: 12 }), async (flushed, unflushed, kept) => {
        const folder = createMemoryStateFolder();
        const store = await folder.open();
        for (let at = 0; at < flushed + unflushed; at++) {
          if (at === flushed) await store.flush();
          await store.write([mark(at), { op: 'delete-range', family: 'offsets', from: Uint8Array.of(0), to: Uint8Array.of(9) }]);
        }
        if (unflushed === 0) await store.flush();
        expect(folder.unflushedBatches()).toBe(unflushed);
        folder.crash(kept);
        const survivors = await marks(await folder.open());
        expect(survivors).toEqual(Array.from({ length: flushed + Math.min(kept, unflushed) }, (_, at) => at));
      }),
    );
  });

  it('leaves a store of an earlier life with nothing to say', async () => {
    const folder = createMemoryStateFolder();
    const earlier = await folder.open();
    folder.crash();
    const later = await folder.open();
    await expect(earlier.write([mark(1)])).rejects.toMatchObject({ code: 'closed' });
    await earlier.close();
    await later.write([mark(2)]);
    expect(await marks(later)).toEqual([2]);
  });

  it('is found damaged by the open store as well', async () => {
    const folder = createMemoryStateFolder();
    const store = await folder.open();
    folder.damage();
    await expect(store.get('meta', Uint8Array.of(1))).rejects.toMatchObject({ code: 'corruption' });
  });
});
