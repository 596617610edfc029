/** What `make start` prints when the cluster is ready: addresses, and commands to copy. */
import { styleText } from 'node:util';
import type { NodeAddresses } from './addresses.ts';

export interface BannerFacts {
  readonly nodes: readonly (NodeAddresses & { readonly id: number })[];
  /** Where the data is, as the user would write it. */
  readonly dir: string;
  readonly readyMs: number;
}

/** What the command line asks without --address. */
export const defaultClientAddress = '127.0.0.1:7070';

const firstCommands: readonly string[] = [
  'npx balsa topic create orders --partitions 6',
  "seq 1 1000 | sed 's/^/order /' | npx balsa produce orders",
  "npx balsa consume orders --count 5 --format '%p/%o  %v\\n'",
  'npx balsa cluster status',
  'npx balsa raft status --topic orders',
];

const bold = (text: string): string => styleText('bold', text);
const dim = (text: string): string => styleText('dim', text);

export function banner({ nodes, dir, readyMs }: BannerFacts): string {
  const rows = [
    ['node', 'clients (gRPC)', 'brokers', 'http'],
    ...nodes.map((node) => [String(node.id), node.clientAddress, node.peerAddress, `http://${node.httpAddress}`]),
  ];
  const [header = '', ...lines] = align(rows).map((line) => `  ${line}`);
  const first = nodes[0]?.clientAddress ?? defaultClientAddress;
  const setAddress = first === defaultClientAddress ? [] : [`export BALSA_ADDRESS=${first}`];
  const names = nodes.length === 1 ? '1 broker' : `${nodes.length} brokers`;
  return [
    '',
    `${bold('Balsa')} is ready: ${names} in ${(readyMs / 1000).toFixed(1)} s`,
    '',
    dim(header),
    ...lines,
    '',
    `  data and logs in ${dir}/`,
    '',
    'In another terminal:',
    '',
    ...[...setAddress, ...firstCommands].map((line) => `  ${line}`),
    '',
    dim('Ctrl-C stops the cluster.'),
    '',
  ].join('\n');
}

function align(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (i: number): number => Math.max(...rows.map((row) => row[i]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(width(i)))
      .join('  ')
      .trimEnd(),
  );
}
