/**
 * Reads scenarios: those that come with the harness by name, others by path.
 *
 * Failure contract: ScenarioError names the file, the line, the field, what is wrong with it
 * and what is allowed.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { didYouMean } from '@balsa/node/config/did-you-mean.ts';
import { type Document, LineCounter, parseDocument, stringify } from 'yaml';
import { checkScenario } from './check-scenario.ts';
import { type FieldPath, fieldName, ScenarioError } from './scenario-error.ts';
import type { Scenario } from './scenario.ts';

const folder = fileURLToPath(new URL('../../scenarios/', import.meta.url));
const extension = '.yaml';
const fileBytesMax = 256 * 1024;

/** Names of the scenarios that come with the harness, sorted. */
export async function scenarioNames(): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .toSorted();
}

/** `name` is one of those, or the path of a file: something with a slash or an extension. */
export async function loadScenario(name: string): Promise<Scenario> {
  const isPath = name.includes('/') || name.includes(path.sep) || /\.ya?ml$/.test(name);
  const file = isPath ? name : path.join(folder, name + extension);
  const known = isPath ? undefined : await scenarioNames();
  if (known?.includes(name) === false) {
    throw new ScenarioError(name, [
      { field: '', problem: `there is no scenario of this name.${didYouMean(name, known)} A path ends in .yaml` },
    ]);
  }
  return readScenario(await readText(file), isPath ? file : path.relative(process.cwd(), file));
}

async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ScenarioError(file, [
      { field: '', problem: error.code === 'ENOENT' ? 'there is no such file' : `it cannot be read: ${error.message}` },
    ]);
  });
  if (text.length <= fileBytesMax) return text;
  throw new ScenarioError(file, [{ field: '', problem: `it has more than ${fileBytesMax} characters` }]);
}

/** `origin` names the text in errors. */
export function readScenario(text: string, origin: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ScenarioError(
      origin,
      document.errors.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, field: '', problem: message })),
    );
  }
  const checked = checkScenario(document.toJS() ?? {});
  if ('scenario' in checked) return checked.scenario;
  throw new ScenarioError(
    origin,
    checked.problems.map(({ path: at, problem }) => {
      const line = lineOf(document, lines, at);
      return { ...(line === undefined ? {} : { line }), field: fieldName(at), problem };
    }),
  );
}

/** Of the field, or of what it should be in. */
function lineOf(document: Document.Parsed, lines: LineCounter, at: FieldPath): number | undefined {
  for (let length = at.length; length > 0; length -= 1) {
    const node = document.getIn(at.slice(0, length), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | undefined) : undefined;
    if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
  }
  return undefined;
}

/** As a file that makes the same scenario again. */
export const scenarioText = (scenario: Scenario): string => stringify(scenario, { lineWidth: 120 });
