/**
 * Static members of the cluster. Every node starts with the same list; the first
 * five ids vote on the cluster metadata, the others follow it as learners.
 */
import * as z from 'zod';
import { endpoint, parseEndpoint } from './units.ts';

export interface Member {
  readonly id: number;
  /** host:port of the node-to-node API. */
  readonly peer: string;
  /** host:port of the client API. */
  readonly client: string;
}

const nodeIdMax = 65_535;
export const nodeId = () => z.number().int().min(1).max(nodeIdMax);

const written = 'expected id=host:peerPort/host:clientPort, for example 1=10.0.0.1:7080/10.0.0.1:7070';

/** "1=host:7080/host:7070"; undefined if it is not of that form. */
export function parseMember(text: string): Member | undefined {
  const match = /^(\d{1,5})=([^/]+)\/([^/]+)$/.exec(text.trim());
  const [, id, peer, client] = match ?? [];
  if (id === undefined || peer === undefined || client === undefined) return undefined;
  const sound = parseEndpoint(peer) !== undefined && parseEndpoint(client) !== undefined;
  return sound && Number(id) >= 1 && Number(id) <= nodeIdMax ? { id: Number(id), peer, client } : undefined;
}

const memberText = z.string().transform((text, context): Member => {
  const member = parseMember(text);
  if (member !== undefined) return member;
  context.addIssue(written);
  return z.NEVER;
});

const memberRecord = z.strictObject({ id: nodeId(), peer: endpoint(), client: endpoint() });

export const members = () =>
  z
    .array(z.union([memberText, memberRecord], written))
    .refine((list) => new Set(list.map((member) => member.id)).size === list.length, 'two members have the same id');
