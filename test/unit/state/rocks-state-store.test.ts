/** Failures of a real RocksDB folder, and of the process that has it open. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateStoreError } from '@balsa/node/ports/state-store.ts';
import { stateStoreFailure } from '@balsa/node/storage/state/rocks-failure.ts';
import { discardStateStore, openStateStore } from '@balsa/node/storage/state/rocks-state-store.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const key = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const everything = { from: key(), to: key(0xff, 0xff, 0xff), limit: 100_000 };

describe('rocks state store', () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'balsa-rocks-'));
    folder = join(parent, 'state');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const fill = async (): Promise<void> => {
    const store = await openStateStore(folder);
    await store.write([{ op: 'put', family: 'meta', key: key(1), value: key(1) }]);
    await store.flush();
    await store.close();
  };
  const fileOf = async (kind: (name: string) => boolean): Promise<string> => join(folder, (await readdir(folder)).find(kind)!);

  it.each([
    ['CURRENT overwritten', (name: string) => name === 'CURRENT', 'write'],
    ['CURRENT gone', (name: string) => name === 'CURRENT', 'remove'],
    ['manifest overwritten', (name: string) => name.startsWith('MANIFEST'), 'write'],
    ['manifest gone', (name: string) => name.startsWith('MANIFEST'), 'remove'],
    ['table gone', (name: string) => name.endsWith('.sst'), 'remove'],
  ] as const)('does not open a damaged folder: %s', async (_name, which, how) => {
    await fill();
    const path = await fileOf(which);
    await (how === 'write' ? writeFile(path, 'nonsense') : rm(path));
    await expect(openStateStore(folder)).rejects.toMatchObject({ name: 'StateStoreError', code: 'corruption' });
  });

  it('serves nothing any more once a read has found damage', async () => {
    const store = await openStateStore(folder);
    await store.write(
      Array.from({ length: 50 }, (_, at) => ({ op: 'put' as const, family: 'meta' as const, key: key(at), value: randomBytes(2000) })),
    );
    await store.flush();
    const path = await fileOf((name) => name.endsWith('.sst'));
    const table = await readFile(path);
    await store.close();
    table.fill(0x5a, table.length >> 1, (table.length >> 1) + 20_000);
    await writeFile(path, table);
    const damaged = await openStateStore(folder);
    await expect(damaged.range('meta', everything)).rejects.toMatchObject({ code: 'corruption' });
    await expect(damaged.get('offsets', key(1))).rejects.toMatchObject({ code: 'corruption' });
    await expect(damaged.write([{ op: 'put', family: 'offsets', key: key(1), value: key(1) }])).rejects.toMatchObject({
      code: 'corruption',
    });
    await damaged.close();
  });

  it('has nothing against a folder that is not there, and nothing to say about a file in its place', async () => {
    await discardStateStore(folder);
    await writeFile(folder, 'a file');
    await expect(openStateStore(folder)).rejects.toMatchObject({ code: 'io' });
  });

  it('discards what an interrupted discard left behind', async () => {
    await fill();
    await mkdir(`${folder}.discarded`);
    await writeFile(join(`${folder}.discarded`, 'CURRENT'), 'x');
    await discardStateStore(folder);
    expect(await readdir(parent)).toEqual([]);
  });

  it('keeps a prefix of the batches, and all flushed ones, when its process is killed', async () => {
    const script = `
      const { openStateStore } = await import('@balsa/node/storage/state/rocks-state-store.ts');
      const store = await openStateStore(${JSON.stringify(folder)});
      for (let at = 0; ; at++) {
        const key = Uint8Array.of(at >> 16, at >> 8, at);
        await store.write([
          { op: 'put', family: 'meta', key, value: key },
          { op: 'put', family: 'offsets', key, value: key },
        ]);
        if (at === 500) await store.flush();
        if (at === 1000) process.stdout.write('written');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openStateStore(folder);
    const meta = await store.range('meta', everything);
    expect(meta.length).toBeGreaterThan(1000);
    expect(meta.map(([name]) => (name[0]! << 16) | (name[1]! << 8) | name[2]!)).toEqual(meta.map((_, at) => at));
    expect(await store.range('offsets', everything)).toEqual(meta);
    await store.close();
  });
});

describe('rocks failures', () => {
  it.each([
    ['opening', 'While lock file: /x/LOCK: Resource temporarily unavailable', 'locked'],
    ['opening', 'lock hold by current process, acquire time 1: /x/LOCK: No locks available', 'locked'],
    ['opening', 'While mkdir if missing: /x: Permission denied', 'io'],
    ['opening', 'Column families not opened: other', 'corruption'],
    ['reading', 'While open a file for random read: /x/1.sst: Too many open files', 'io'],
    ['reading', 'While pread: /x/1.sst: Input/output error', 'corruption'],
    ['reading', 'block checksum mismatch', 'corruption'],
    ['writing', 'While appending to file: /x/1.log: No space left on device', 'background-error'],
    ['writing', 'While appending to file: /x/1.log: Input/output error', 'background-error'],
    ['writing', 'block checksum mismatch in compaction', 'corruption'],
    ['writing', 'RocksDB session is closed', 'closed'],
  ] as const)('means, while %s, "%s": %s', (doing, message, code) => {
    expect(stateStoreFailure(doing, new Error(message))).toMatchObject({ name: 'StateStoreError', code });
    expect(stateStoreFailure(doing, new Error('Batch was not applied', { cause: new Error(message) }))).toMatchObject({ code });
    expect(stateStoreFailure(doing, new AggregateError([new Error(message)], 'Batch was not applied'))).toMatchObject({ code });
  });

  it('leaves its own errors alone', () => {
    const own = new StateStoreError('corruption', 'layout');
    expect(stateStoreFailure('opening', own)).toBe(own);
  });
});
