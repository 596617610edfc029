/** What files and folders hold: in short, to compare, and copied, to come back later. */
import { createHash } from 'node:crypto';
import { cpSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const digestHexChars = 16;
export const absent = 'absent';

/** The same for the same names, sizes and bytes; sockets (a lock) are none of them. */
export function contentOf(at: string): string {
  const hash = createHash('sha256');
  const total = { files: 0, bytes: 0 };
  const add = (file: string, name: string): void => {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) {
      for (const child of readdirSync(file).toSorted()) add(path.join(file, child), `${name}/${child}`);
    } else if (found?.isFile() === true) {
      const bytes = readFileSync(file);
      hash.update(`${name} ${bytes.length}\n`).update(bytes);
      total.files += 1;
      total.bytes += bytes.length;
    }
  };
  if (lstatSync(at, { throwIfNoEntry: false }) === undefined) return absent;
  add(at, '');
  return `${total.files} files, ${total.bytes} bytes, sha256 ${hash.digest('hex').slice(0, digestHexChars)}`;
}

/** Makes `to` what `from` is, whatever was there; sockets are left out. */
export function replaceBy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, filter: (source) => !lstatSync(source).isSocket() });
}
