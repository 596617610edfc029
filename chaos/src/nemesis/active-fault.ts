/**
 * The life of one fault: begun, proven while it lasts, ended once.
 *
 * Who asks for the end first, the schedule or the time limit, decides why it ended; everybody
 * who asks waits for the same end. Before it is healed its proof gets a last look. Whatever
 * goes wrong becomes a proof that does not hold: such a run proves nothing, and says why.
 */
import type { Proof } from '../cluster/proofs.ts';
import type { FaultEnded, PartitionRef, TimelineEvent } from '../record/timeline.ts';
import type { BegunFault, FaultContext, PreparedFault } from './fault.ts';

export interface FaultPlan {
  /** Unique within the run. */
  readonly id: number;
  readonly repeat: number;
  /** In the catalogue. */
  readonly name: string;
  readonly what: string;
  readonly nodes: readonly number[];
  readonly partitionsLed: readonly PartitionRef[];
  readonly prepared: PreparedFault;
  readonly context: FaultContext;
}

export interface FaultSurroundings {
  readonly nowNs: () => number;
  readonly timeline: (event: TimelineEvent) => void;
}

export type EndedBy = FaultEnded['by'];

export interface ActiveFault {
  readonly plan: FaultPlan;
  readonly isOver: () => boolean;
  /** Settles when it is healed, or could not be. */
  readonly end: (by: EndedBy) => Promise<void>;
  /** All that were given until its end. */
  readonly proofs: () => readonly Proof[];
}

/** A proof is a look at something that is there; one that takes longer sees nothing. */
const proofMsMax = 10_000;
const healMsMax = 60_000;

/** Settles when it has taken effect, or has failed to: then it is over. */
export async function beginFault(plan: FaultPlan, { nowNs, timeline }: FaultSurroundings): Promise<ActiveFault> {
  const { id: fault, repeat, name, what, nodes, partitionsLed, prepared, context } = plan;
  const proofs: Proof[] = [];
  const tell = (more: readonly Proof[]): void => {
    proofs.push(...more);
    timeline({ kind: 'fault-proven', tNs: nowNs(), fault, proofs: more });
  };
  timeline({ kind: 'fault-began', tNs: nowNs(), fault, repeat, name, what, nodes, partitionsLed });
  let begun: BegunFault | undefined;
  try {
    begun = await prepared.begin(context, nodes);
  } catch (error) {
    tell([failure('it could begin', error)]);
  }
  const ending = new AbortController();
  const proving = begun === undefined ? Promise.resolve() : prove(begun, ending.signal).then(tell);
  const finish = async (by: EndedBy): Promise<void> => {
    clearTimeout(limit);
    ending.abort();
    await within(proving, proofMsMax).catch((error: unknown) => tell([failure('it could be proven', error)]));
    await within(begun?.heal() ?? Promise.resolve(), healMsMax).catch((error: unknown) => tell([failure('it could be healed', error)]));
    timeline({ kind: 'fault-ended', tNs: nowNs(), fault, by });
  };
  let finishing: Promise<void> | undefined;
  const end = (by: EndedBy): Promise<void> => (finishing ??= finish(by));
  const limit = setTimeout(() => void end('ttl'), context.ttlMs);
  if (begun === undefined) await end('schedule');
  return { plan, isOver: () => finishing !== undefined, end, proofs: () => proofs };
}

async function prove(begun: BegunFault, ending: AbortSignal): Promise<readonly Proof[]> {
  try {
    const proofs = await begun.prove(ending);
    return proofs.length > 0 ? proofs : [{ claim: 'it had an effect', holds: false, evidence: 'nothing was looked at' }];
  } catch (error) {
    return [failure('it could be proven', error)];
  }
}

const failure = (claim: string, error: unknown): Proof => ({
  claim,
  holds: false,
  evidence: error instanceof Error ? error.message : String(error),
});

/** Rejects if it takes longer. What comes later is not heard any more. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
