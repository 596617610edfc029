/** A real process is killed: its peer hears of it from the closed sockets, not from a time-out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { type GrpcNode, openGrpcNode } from '../contract/harness/grpc-node.ts';
import { connected } from '../contract/harness/recorder.ts';

/** Well below the interval of pings: only the closed connection can have told. */
const noticedWithinMs = 300;

describe('transport of a killed process', () => {
  let child: ChildProcess | undefined;
  let node: GrpcNode | undefined;
  afterEach(async () => {
    child?.kill('SIGKILL');
    await node?.close();
  });

  it('is lost at once', async () => {
    node = await openGrpcNode(1);
    const script = `
      const { openGrpcNode } = await import('../contract/harness/grpc-node.ts');
      const node = await openGrpcNode(2);
      node.dial(1, ${node.port});
      process.stdout.write(String(node.port));`;
    child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    const [port] = (await once(child.stdout!, 'data')) as [Buffer];
    node.dial(2, Number(port.toString()));
    const { heard, network } = node;
    await connected(heard, network, 2);
    const killed = performance.now();
    child.kill('SIGKILL');
    await heard.until(() => heard.peers.at(-1) === 'lost 2');
    expect(performance.now() - killed).toBeLessThan(noticedWithinMs);
  });
});
