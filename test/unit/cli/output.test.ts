import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { collectSetting, formatConfig } from '../../../client/cli/format/topic-config.ts';
import type { Column } from '../../../client/cli/format/table.ts';
import { confirm } from '../../../client/cli/terminal/confirm.ts';
import { printDone, printFacts, printRows } from '../../../client/cli/terminal/output.ts';
import { progressLine, startProgress } from '../../../client/cli/terminal/progress.ts';
import { testTerminal } from './stand-ins/terminal.ts';

interface Row {
  readonly name: string;
  readonly lag: number;
  readonly state: string;
}
const columns: readonly Column<Row>[] = [
  { title: 'TOPIC', cell: (row) => row.name },
  { title: 'LAG', cell: (row) => row.lag, align: 'right', style: (row) => (row.lag > 9 ? 'yellow' : undefined) },
  { title: 'STATE', cell: (row) => row.state },
];
const rows: readonly Row[] = [
  { name: 'orders', lag: 7, state: 'ok' },
  { name: 'a', lag: 1234, state: '' },
];

describe('results', () => {
  test('align in a table, without trailing blanks and colours in a pipe', async () => {
    const { io, out } = testTerminal();
    await printRows(io, 'table', rows, columns);
    expect(out()).toBe('TOPIC    LAG  STATE\norders     7  ok\na       1234\n');
  });

  test('align the same on a terminal, with colours', async () => {
    const { io, out } = testTerminal({ tty: true });
    await printRows(io, 'table', rows, columns);
    expect(out()).toContain('\u001b[33m1234\u001b[39m');
    expect(stripVTControlCharacters(out()).split('\n')[2]).toBe('a       1234');
  });

  test('have a header even without rows', async () => {
    const { io, out } = testTerminal();
    await printRows(io, 'table', [], columns);
    expect(out()).toBe('TOPIC  LAG  STATE\n');
  });

  test('are one array in json and one object a line in jsonl, never coloured', async () => {
    const json = testTerminal({ tty: true });
    await printRows(json.io, 'json', rows, columns);
    expect(JSON.parse(json.out())).toEqual(rows);
    const jsonl = testTerminal({ tty: true });
    await printRows(jsonl.io, 'jsonl', rows, columns);
    expect(
      jsonl
        .out()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row),
    ).toEqual(rows);
  });

  test('of one thing are lines of name and value, or one object', async () => {
    const table = testTerminal();
    await printFacts(table.io, 'table', { a: 1 }, [
      ['records', 3],
      ['MB/s', '1.5'],
    ]);
    expect(table.out()).toBe('records  3\nMB/s     1.5\n');
    const json = testTerminal();
    await printDone(json.io, 'json', 'done', { topic: 'orders' });
    expect(JSON.parse(json.out())).toEqual({ topic: 'orders' });
  });
});

describe('confirmation', () => {
  test('is skipped with --yes and required without a terminal', async () => {
    await confirm(testTerminal().io, 'delete topic "a"', true);
    await expect(confirm(testTerminal().io, 'delete topic "a"', false)).rejects.toMatchObject({
      exitCode: 2,
      parts: { next: 'repeat the command with --yes' },
    });
  });

  test.each(['y', 'Yes'])('takes %s', async (answer) => {
    await confirm(testTerminal({ tty: true, stdin: `${answer}\n` }).io, 'delete topic "a"', false);
  });

  test.each(['n', '', 'yikes'])('refuses %j', async (answer) => {
    await expect(confirm(testTerminal({ tty: true, stdin: `${answer}\n` }).io, 'delete', false)).rejects.toMatchObject({ exitCode: 1 });
  });
});

describe('progress', () => {
  test('shows a bar when the end is known', () => {
    expect(progressLine(50_000, 200_000, 2000, 'records')).toBe(
      '[######..................]  25%  50,000 of 200,000 records  25,000 records/s  2.0 s',
    );
    expect(progressLine(1200, undefined, 500, 'records')).toBe('1,200 records  2,400 records/s  500 ms');
    expect(progressLine(1_500_000, 3_000_000, 1000, 'bytes')).toMatch(/ 50% {2}1.5 MB of 3.0 MB {2}1.5 MB\/s {2}1.0 s$/);
    expect(progressLine(0, 0, 0, 'records')).toContain('100%');
  });

  test('is drawn on terminals only, at most ten times a second, and removed at the end', () => {
    let nowMs = 0;
    const terminal = testTerminal({ tty: true, env: { NO_COLOR: '1' }, nowMs: () => nowMs });
    const progress = startProgress(terminal.io, 'records');
    for (nowMs = 0; nowMs < 1000; nowMs += 10) progress.update(nowMs, 1000);
    progress.finish();
    expect(terminal.err().split('\r').length - 1).toBe(11);
    expect(terminal.err().endsWith('\r\u001b[K')).toBe(true);
    const pipe = testTerminal();
    startProgress(pipe.io, 'records').update(1, 2);
    expect(pipe.err()).toBe('');
  });
});

describe('topic settings', () => {
  test('are name=value; the value may contain = and may be empty', () => {
    expect(collectSetting('b=', collectSetting('a=1=2', {}))).toEqual({ a: '1=2', b: '' });
    for (const text of ['a', '=1', '']) expect(() => collectSetting(text, {})).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test('are sorted in a table', () => {
    expect(formatConfig({ b: '2', a: '1' })).toBe('a=1, b=2');
  });
});
