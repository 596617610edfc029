/** The StateStore port with failpoints, and without answers once the power is off. */
import { type StateStore, StateStoreError, type StateWrite } from '../ports/state-store.ts';
import type { Failpoints } from './failpoints.ts';
import type { Power } from './power.ts';

const pointError = (message: string): StateStoreError => new StateStoreError('io', message);

export function faultyStateStore(inner: StateStore, { points, power }: { readonly points: Failpoints; readonly power: Power }): StateStore {
  return {
    get: (family, key) => power.device(() => inner.get(family, key)),
    range: (family, range) => power.device(() => inner.range(family, range)),
    write: async (batch) => {
      const isCheckpoint = batch.some(({ family }: StateWrite) => family === 'checkpoints');
      if (isCheckpoint) await points.wait('checkpoint.before-write', pointError);
      await power.device(() => inner.write(batch));
      if (isCheckpoint) await points.wait('checkpoint.after-write', pointError);
    },
    flush: async () => {
      await points.wait('state.before-flush', pointError);
      await power.device(() => inner.flush());
      await points.wait('state.after-flush', pointError);
    },
    close: () => inner.close(),
  };
}
