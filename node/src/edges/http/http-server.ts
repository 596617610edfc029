/**
 * Health and metrics over HTTP, for orchestrators, load balancers and Prometheus.
 *
 *   /livez            the process runs and its event loop turns
 *   /readyz           clients may be sent here; 503 with the reasons otherwise
 *   /readyz?verbose   every check with its result;  /readyz/<check>  one of them
 *   /healthz          the same as /readyz
 *   /metrics          Prometheus text
 *   /faults           only with --unsafe-faults: see faults/http-channel.ts
 *
 * A failing metric or check answers 500 and is reported; it never ends the process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReadinessCheck } from '../../broker/status.ts';

export interface HttpEdgeOptions {
  readonly checks: () => readonly ReadinessCheck[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly onUnexpected: (error: unknown) => void;
  /** Answers /faults, whatever the method; without it there is no such page. */
  readonly faults?: ((request: IncomingMessage) => Promise<Page>) | undefined;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Called once, when the answer has left or cannot any more. */
  readonly sent?: () => void;
}

export interface HttpEdge {
  /** Resolves to the port; rejects with the system's error. */
  readonly listen: (host: string, port: number) => Promise<number>;
  readonly stop: () => Promise<void>;
}

const connectionsMax = 256;
const requestTimeoutMs = 10_000;
const plain = 'text/plain; charset=utf-8';

export function createHttpEdge(options: HttpEdgeOptions): HttpEdge {
  const server = createServer((request, response) => void serve(options, request, response));
  server.maxConnections = connectionsMax;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, exclusive: true }, () => {
          server.off('error', reject);
          server.on('error', options.onUnexpected);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(options: HttpEdgeOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = await answer(options, request).catch((error: unknown): Page => {
    options.onUnexpected(error);
    return { status: 500, contentType: plain, text: 'the broker failed to answer; its log says more\n' };
  });
  if (page.sent !== undefined) response.once('close', page.sent);
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(page.text),
  });
  response.end(request.method === 'HEAD' ? undefined : page.text);
}

async function answer(options: HttpEdgeOptions, request: IncomingMessage): Promise<Page> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const [, name = '', check] = path.split('/');
  if (name === 'faults' && check === undefined && options.faults !== undefined) return options.faults(request);
  const page = pageNamed(options, name, check, query);
  if (page === undefined) return { status: 404, contentType: plain, text: 'here are /livez, /readyz, /healthz and /metrics\n' };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, contentType: plain, text: 'only GET and HEAD\n' };
  return page();
}

/** Undefined: there is no such page. */
function pageNamed(
  options: HttpEdgeOptions,
  name: string,
  check: string | undefined,
  query: string,
): (() => Page | Promise<Page>) | undefined {
  if (name === 'livez' && check === undefined) return () => ({ status: 200, contentType: plain, text: 'ok\n' });
  if (name === 'readyz' || name === 'healthz') return () => readyPage(options.checks(), check, new URLSearchParams(query).has('verbose'));
  if (name === 'metrics' && check === undefined) return async () => ({ status: 200, ...(await options.metrics()) });
  return undefined;
}

function readyPage(checks: readonly ReadinessCheck[], name: string | undefined, verbose: boolean): Page {
  const asked = name === undefined ? checks : checks.filter((check) => check.name === name);
  if (asked.length === 0) return { status: 404, contentType: plain, text: `checks: ${checks.map((check) => check.name).join(', ')}\n` };
  const failed = asked.filter(({ problem }) => problem !== undefined);
  const shown = verbose ? asked : failed;
  const lines = shown.map((check) => `[${check.problem === undefined ? '+' : '-'}]${check.name} ${check.problem ?? 'ok'}\n`);
  const status = failed.length === 0 ? 200 : 503;
  return { status, contentType: plain, text: `${lines.join('')}${status === 200 ? 'ok' : 'not ready'}\n` };
}
