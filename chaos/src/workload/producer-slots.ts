/** Places for producers. Who stands at one may be lost and is then replaced, by another client with another producer id. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Acks, type Balsa, grpcTransport, type Producer } from '@balsa/client';
import type { CrashedProducer } from '../nemesis/load-control.ts';
import type { Load } from '../scenario/load.ts';
import { balsaErrorOf } from './answers.ts';
import { closeClient, connectAtLast, type Crew, isStopping, noteFailure } from './crew.ts';
import { repeatingTransport } from './repeating-transport.ts';
import { createSession, giveUp, type ProducerSession } from './send.ts';

interface Occupant {
  readonly balsa: Balsa;
  readonly session: ProducerSession;
}

export interface Slot {
  readonly number: number;
  readonly acks: Acks;
  readonly idempotent: boolean;
  /** Who stood here, and who stands here now. */
  lives: number;
  /** Undefined while it connects. */
  occupant: Occupant | undefined;
  /** Settles when the last one has connected; never rejects. */
  filling: Promise<void>;
}

/** A producer is lost when it has something to lose; if nothing is ever unanswered, then without. */
const crashWaitMsMax = 1000;

/** As many as the load has producers; each begins to connect. */
export function createSlots(crew: Crew, load: Load): readonly Slot[] {
  return Array.from({ length: load.producers }, (_, i) => {
    const acks = load.acks[i % load.acks.length];
    const idempotent = load.idempotent[i % load.idempotent.length];
    if (acks === undefined || idempotent === undefined) throw new RangeError('a scenario has acks and idempotent');
    const slot: Slot = { number: i + 1, acks, idempotent, lives: 0, occupant: undefined, filling: Promise.resolve() };
    slot.filling = fill(crew, load, slot);
    return slot;
  });
}

async function fill(crew: Crew, load: Load, slot: Slot): Promise<void> {
  slot.lives += 1;
  const name = `producer-${slot.number}.${slot.lives}`;
  try {
    const transport = repeatingTransport(grpcTransport(name), crew.repeating);
    const balsa = await connectAtLast(crew, { clientId: name, ports: { transport } });
    if (balsa !== undefined) slot.occupant = { balsa, session: sessionOf(balsa, name, slot, load) };
  } catch (error) {
    noteFailure(crew, name, error);
  }
}

function sessionOf(balsa: Balsa, session: string, { acks, idempotent }: Slot, load: Load): ProducerSession {
  const { lingerMs: linger, batchBytesMax, deliveryTimeoutMs: deliveryTimeout } = load;
  const made = new Map<string, Producer<Uint8Array, Uint8Array>>();
  const producerOf = (topic: string): Producer<Uint8Array, Uint8Array> => {
    const known = made.get(topic) ?? balsa.topic(topic).producer({ acks, idempotent, linger, batchBytesMax, deliveryTimeout });
    made.set(topic, known);
    return known;
  };
  return createSession({ session, acks, idempotent, producerOf });
}

/** The busiest one is lost. Settles when nothing of it is left; by then another one connects. */
export async function loseBusiest(crew: Crew, load: Load, slots: readonly Slot[]): Promise<CrashedProducer> {
  const slot = await busiest(crew, slots);
  const occupant = slot?.occupant;
  if (slot === undefined || occupant === undefined) return { producer: 'none', unanswered: 0 };
  const { session, balsa } = occupant;
  slot.occupant = undefined;
  const unanswered = giveUp(crew, session);
  // The library has no way to lose a client. The nearest: what it was gathering may still leave, then
  // its streams break, and nothing is waited for or sent again.
  await balsa.close({ signal: AbortSignal.abort() }).catch(balsaErrorOf);
  slot.filling = fill(crew, load, slot);
  return { producer: session.session, unanswered };
}

/** Waits until somebody has unanswered sends, but not for ever. */
async function busiest(crew: Crew, slots: readonly Slot[]): Promise<Slot | undefined> {
  const endMs = performance.now() + crashWaitMsMax;
  const openOf = ({ occupant }: Slot): number => occupant?.session.open.size ?? -1;
  for (;;) {
    const [found] = slots.toSorted((a, b) => openOf(b) - openOf(a));
    if (found === undefined || openOf(found) > 0 || isStopping(crew) || performance.now() > endMs) return found;
    await delay(1);
  }
}

/** Every send is decided by its own deadline; closing waits as long. */
export async function retire(crew: Crew, load: Load, slot: Slot): Promise<void> {
  await slot.filling;
  const { occupant } = slot;
  if (occupant === undefined) return;
  const { balsa, session } = occupant;
  await closeClient(balsa, load.deliveryTimeoutMs).catch((error: unknown) => noteFailure(crew, session.session, error));
  // Those that reject were noted when they were sent.
  await Promise.allSettled(session.open.values());
}
