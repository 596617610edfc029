/** Writes the report of a recorded run beside its files. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readRecord } from '../record/read-record.ts';
import { files } from '../record/run-record.ts';
import { renderReport } from './render-report.ts';

/** Path of the page. Rejects with RecordError if the folder is not the whole record of a run. */
export async function writeReport(folder: string): Promise<string> {
  const page = path.join(folder, files.report);
  await writeFile(page, renderReport(await readRecord(folder)));
  return page;
}
