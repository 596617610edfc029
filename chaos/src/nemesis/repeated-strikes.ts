/** Strikes at connections that are repeated, as clients come back, and proofs that count over all paths. */
import type { Proof } from '../cluster/proofs.ts';
import type { LinkCounts } from '../links/counters.ts';
import type { Link } from '../links/link.ts';
import type { Path } from './paths.ts';

export const periodMsMax = 60_000;

/** On every path at once, and then every `everyMs` until the returned function is called. */
export function againAndAgain(paths: readonly Path[], everyMs: number, action: (link: Link) => unknown): () => void {
  const strike = (): void => paths.forEach(({ link }) => void action(link));
  strike();
  const timer = setInterval(strike, everyMs);
  return () => clearInterval(timer);
}

/** What has happened since now on one of the paths: not all of them carry connections. */
export function onSome(paths: readonly Path[], prove: (link: Link, before: LinkCounts) => Proof, otherwise: Proof): () => Proof {
  const counted = paths.map(({ link }) => ({ link, before: link.counts() }));
  return () => counted.map(({ link, before }) => prove(link, before)).find(({ holds }) => holds) ?? otherwise;
}
