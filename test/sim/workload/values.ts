/** Records of the workload: those of real runs (chaos/src/workload), with their padding drawn instead of their size. */
import { makeValue as makeSized, type NamedValue } from '@balsa/chaos/workload/values.ts';

export { fingerprint, valueId } from '@balsa/chaos/workload/values.ts';

export const makeValue = (id: number, paddingBytes: number): NamedValue => makeSized(id, `${id}:`.length + paddingBytes);
