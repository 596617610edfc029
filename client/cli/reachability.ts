/**
 * Why a broker does not answer, in words for a person: the connection is refused, the name
 * is unknown, or something listens there that is no broker (or is not ready).
 */
import { connect } from 'node:net';

const probeTimeoutMs = 1000;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused: nothing listens there',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};

/** Tries a plain connection to the first of the addresses (`host:port,...`, with or without balsa://). */
export async function whyUnreachable(addresses: string): Promise<string> {
  const match = /^(?:balsa:\/\/)?\[?([^\],/]+?)\]?(?::(\d+))?(?:[,/]|$)/.exec(addresses);
  const [, host, port = '7070'] = match ?? [];
  if (host === undefined) return 'there was no answer';
  const code = await connectionError(host, Number(port));
  if (code === undefined) return 'something listens there but does not answer as a broker does; it may still be starting';
  return reasons[code] ?? `the connection failed (${code})`;
}

/** The system's error code; undefined if the connection was made. */
function connectionError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeTimeoutMs });
    const settle = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => settle(undefined));
    socket.once('timeout', () => settle('ETIMEDOUT'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}
