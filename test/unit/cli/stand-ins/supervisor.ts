/** A supervisor to be killed: starts a cluster of stand-ins, prints its pids when ready, and waits. */
import { fileURLToPath } from 'node:url';
import { startLocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';

const program = fileURLToPath(new URL('./broker.ts', import.meta.url));
// Before the pids are printed: whoever reads them may send the signal at once.
process.on('SIGTERM', () => process.exit(3));
const cluster = await startLocalCluster({ nodes: 2, dir: process.argv[2] ?? '', portBase: 'free', program });
await cluster.waitReady();
process.stdout.write(`${JSON.stringify(cluster.nodes.map((node) => node.pid))}\n`);
setInterval(() => undefined, 1000);
