/** Reads a study from a YAML file, or one of those that come with the harness by name. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { fieldName, ScenarioError } from '../scenario/scenario-error.ts';
import { type Study, studySchema } from './study.ts';

const folder = fileURLToPath(new URL('../../studies/', import.meta.url));
const extension = '.yaml';

export async function studyNames(): Promise<readonly string[]> {
  return (await readdir(folder))
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .toSorted();
}

/** Throws ScenarioError. */
export async function loadStudy(name: string): Promise<Study> {
  const isName = (await studyNames()).includes(name);
  const file = isName ? path.join(folder, name + extension) : name;
  const content = await readFile(file, 'utf8').then(parse, (error: Error) => {
    throw new ScenarioError(file, [{ field: '', problem: error.message }]);
  });
  const parsed = studySchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new ScenarioError(
    file,
    parsed.error.issues.map(({ path: at, message }) => ({
      field: fieldName(at.map((part) => (typeof part === 'number' ? part : String(part)))),
      problem: message,
    })),
  );
}
