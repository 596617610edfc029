/** I-S9 a linearizable read sees everything that was committed anywhere before it was asked for. */
import type { Happening } from '../happening.ts';
import { expectThat, type Ledger } from './ledger.ts';

export function noteRead(ledger: Ledger, { node, context }: Happening & { type: 'asked' }): void {
  ledger.readFloors.set(`${node}/${context}`, Math.max(0, ...ledger.committed.keys()));
}

export function checkRead(ledger: Ledger, { node, context, index }: Happening & { type: 'read' }): void {
  const floor = ledger.readFloors.get(`${node}/${context}`) ?? 0;
  expectThat(ledger, index >= floor, 'I-S9', `${node} serves read ${context} at ${index}, ${floor} was committed before it`);
}
