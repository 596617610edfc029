/** What a client is told goes into the model, which refuses what contradicts the promises. */
import { require } from '../../sim/checks/sim-failure.ts';
import type { Log, Model, Value } from './model.ts';

/** A value stands at an offset: an acknowledgement or a reader said so. */
export function learnPosition(model: Model, log: Log, offset: number, id: number): void {
  const value = model.values.get(id);
  const facts = (): unknown => ({ log: nameOf(log), offset, id, known: log.known.get(offset), value: value && describeValue(value) });
  require(value !== undefined, 'only what was sent is read', facts);
  require(value.fate !== 'refused', 'refused values are absent', facts);
  require(value.log.topic === log.topic && value.log.partition === log.partition, 'values stand where they were sent to', facts);
  const mayBelongToLaterLife = value.fate === 'unknown' || value.fate === 'weak';
  require(value.log === log || mayBelongToLaterLife, 'a deleted topic does not come back', facts);
  const known = log.known.get(offset);
  require(known === undefined || known === id, 'one value per offset, for ever', facts);
  log.known.set(offset, id);
  value.offsets.add(offset);
  require(value.offsets.size <= copiesMax(value), 'values are there once, or once per attempt without idempotence', facts);
  learnEnd(log, offset + 1);
}

export const copiesMax = ({ idempotent, attempts }: Value): number => (idempotent ? 1 : attempts);

/** `end` was told: no later answer may be below it. */
export function learnEnd(log: Log, end: number): void {
  log.end = Math.max(log.end, end);
}

/** A log start was told. */
export function learnStart(log: Log, start: number): void {
  require(start >= log.start, 'a log start does not go back', () => ({ log: nameOf(log), start, known: log.start }));
  require(start === 0 || log.keepBytesMin !== undefined, 'only retention removes', () => ({ log: nameOf(log), start }));
  log.start = start;
}

export const nameOf = ({ topic, partition, group }: Log): string => `${topic}/${partition}#${group}`;

export const describeValue = ({ session, fate, offsets, attempts, log }: Value): object => ({
  session,
  fate,
  offsets: [...offsets],
  attempts,
  sentTo: nameOf(log),
});
