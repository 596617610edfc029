/** What a batch has met, as a compact table: one line for each group of counters, wrapped. */
const columnsMax = 110;
const titleColumns = 11;

interface Group {
  readonly title: string;
  readonly prefixes: readonly string[];
}

const groups: readonly Group[] = [
  { title: 'faults', prefixes: ['fault-'] },
  { title: 'disks', prefixes: ['disk-'] },
  { title: 'journal', prefixes: ['journal-'] },
  { title: 'roles', prefixes: ['role-'] },
  { title: 'broker', prefixes: ['broker-'] },
];
/** These have names of their own. */
const rest = 'others';
const operationPrefix = 'history-';

export function coverageTable(counts: ReadonlyMap<string, number>): string {
  const names = [...counts.keys()].filter((name) => !name.startsWith(operationPrefix)).sort();
  const lines: string[] = [];
  const isIn = (prefixes: readonly string[], name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  for (const { title, prefixes } of groups) {
    const own = names.filter((name) => isIn(prefixes, name));
    lines.push(
      ...wrapped(
        title,
        own.map((name) => `${withoutPrefix(prefixes, name)} ${grouped(counts.get(name) ?? 0)}`),
      ),
    );
  }
  const others = names.filter((name) => groups.every(({ prefixes }) => !isIn(prefixes, name)));
  lines.push(
    ...wrapped(
      rest,
      others.map((name) => `${name} ${grouped(counts.get(name) ?? 0)}`),
    ),
  );
  return [...operations(counts), ...lines].join('\n');
}

const withoutPrefix = (prefixes: readonly string[], name: string): string =>
  name.slice(prefixes.find((prefix) => name.startsWith(prefix))?.length ?? 0);

/** `send 90 ok, 5 failed, 5 unknown` */
function operations(counts: ReadonlyMap<string, number>): string[] {
  const invoked = /^history-(.+)-invoke$/;
  const kinds = [...counts.keys()].flatMap((name) => invoked.exec(name)?.[1] ?? []).sort();
  const count = (kind: string, type: string): number => counts.get(`${operationPrefix}${kind}-${type}`) ?? 0;
  const told = (kind: string, type: string, word: string): string[] =>
    count(kind, type) === 0 ? [] : [`${grouped(count(kind, type))} ${word}`];
  const cells = kinds.map((kind) => {
    const parts = [...told(kind, 'ok', 'ok'), ...told(kind, 'fail', 'failed'), ...told(kind, 'info', 'unknown')];
    return `${kind} ${parts.join(' / ')}`;
  });
  return wrapped('operations', cells);
}

/** Cells with commas between, as many on a line as there is room for. */
function wrapped(title: string, cells: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '';
  for (const cell of cells) {
    const longer = line === '' ? cell : `${line}, ${cell}`;
    if (titleColumns + longer.length > columnsMax && line !== '') {
      lines.push(`${line},`);
      line = cell;
    } else line = longer;
  }
  if (line !== '') lines.push(line);
  return lines.map((text, place) => `${(place === 0 ? title : '').padEnd(titleColumns)} ${text}`);
}

/** 1234567 as 1,234,567. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
