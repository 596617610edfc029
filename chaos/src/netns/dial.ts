/**
 * A program that opens one TCP connection and says what became of it: run in the
 * namespace of a node, it sees what the node sees. Arguments: host, port, milliseconds.
 */
import { connect } from 'node:net';

const [host = '', port = '', timeoutMs = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
const finish = (outcome: 'connected' | 'refused' | 'silent'): void => {
  process.stdout.write(outcome, () => process.exit());
};
setTimeout(() => finish('silent'), Number(timeoutMs));
socket.once('connect', () => finish('connected'));
socket.once('error', ({ code }: NodeJS.ErrnoException) => finish(code === 'ECONNREFUSED' ? 'refused' : 'silent'));
