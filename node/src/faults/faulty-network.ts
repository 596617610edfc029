/** The Network port with failpoints; once the power is off nothing is sent or heard. */
import type { Network, NetworkHandler } from '../ports/network.ts';
import type { Failpoints } from './failpoints.ts';
import type { Power } from './power.ts';

interface Parts {
  readonly points: Failpoints;
  readonly power: Power;
}

export function faultyNetwork(inner: Network, parts: Parts): Network {
  const { points, power } = parts;
  return {
    ...inner,
    start: (handler) => inner.start(faultyHandler(handler, parts)),
    send: (to, messages) => {
      if (power.isOff()) return;
      const confirms = messages.some(({ message }) => message.kind === 'snapshot-response' && !message.reject);
      if ((confirms && !points.admit('snapshot.before-confirm')) || !points.admit('raft.before-send')) return;
      inner.send(to, messages);
      points.pass('raft.after-send');
    },
    readEntries: (peer, request) => power.answer(() => inner.readEntries(peer, request)),
  };
}

function faultyHandler(handler: NetworkHandler, { points, power }: Parts): NetworkHandler {
  return {
    onMessages: (from, messages) => {
      if (!power.isOff() && points.admit('raft.before-receive')) handler.onMessages(from, messages);
    },
    onPeerUp: handler.onPeerUp,
    onPeerLost: handler.onPeerLost,
    onReadEntries: (from, request) => power.answer(() => handler.onReadEntries(from, request)),
  };
}
