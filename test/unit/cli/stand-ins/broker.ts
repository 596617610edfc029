/**
 * Stands in for a broker in tests of the supervisor: answers /readyz, writes a line when it
 * starts, and misbehaves on request (STAND_IN=crash | stubborn | deaf).
 */
import { createServer } from 'node:http';

const flag = (name: string): string => process.argv[process.argv.indexOf(`--${name}`) + 1] ?? '';
const [host = '', port = ''] = flag('listen.http').split(':');
const mood = process.env['STAND_IN'] ?? '';

process.stdout.write(`node ${flag('node.id')} of ${flag('cluster.members')} in ${flag('data.dir')}\n`);
if (mood === 'crash' && flag('node.id') === '2') {
  process.stderr.write('the journal is on fire\n');
  process.exit(7);
}
process.on('SIGTERM', () => {
  if (mood !== 'stubborn') process.exit(0);
});
createServer((request, response) => {
  response.writeHead(request.url === '/readyz' && mood !== 'deaf' ? 200 : 503).end();
}).listen(Number(port), host);
