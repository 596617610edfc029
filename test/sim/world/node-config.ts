/** Settings of simulated nodes: the defaults of the schema, with what a run wants otherwise. Small sizes that the schema would refuse make rare cases common. */
import { type Config, configSchema } from '@balsa/node/config/schema.ts';
import type { HostLimits } from '@balsa/node/host/options.ts';

export interface NodeTuning {
  readonly raft?: Partial<Config['raft']>;
  readonly journal?: Partial<Config['journal']>;
  readonly limits?: Partial<Config['limits']>;
  readonly maintenance?: Partial<Config['maintenance']>;
  readonly host?: Partial<HostLimits>;
}

export const clientAddressOf = (node: number): string => `node${node}:7070`;
const peerAddressOf = (node: number): string => `node${node}:7080`;

const kib = 1024;

export function nodeConfig(id: number, ids: readonly number[], tuning: NodeTuning): Config {
  const defaults = configSchema.parse({});
  const members = ids.map((member) => ({ id: member, peer: peerAddressOf(member), client: clientAddressOf(member) }));
  return {
    ...defaults,
    node: { ...defaults.node, id },
    cluster: { ...defaults.cluster, members },
    data: { ...defaults.data, dir: '/data' },
    raft: { ...defaults.raft, ...tuning.raft },
    journal: { ...defaults.journal, segmentBytes: 512 * kib, cacheBytes: 256 * kib, fullFreeBytesMin: 64 * kib, ...tuning.journal },
    limits: { ...defaults.limits, ...tuning.limits },
    maintenance: { ...defaults.maintenance, ...tuning.maintenance },
  };
}
